# Every command of the project. The environment is .venv/, what runs embedded lives in var/; git ignores both.

PORT ?= 8000
IDP_PORT ?= 0
export PYTHON ?= python3

# Paths are relative throughout, so that a checkout may have spaces in its path.
RUN := .venv/bin/python -m

# For the oldest Python that is supported, whichever compiles: what only that one needs must be in the locks.
LOCK := uv pip compile --quiet --no-emit-index-url --no-header --generate-hashes --python-version 3.11 pyproject.toml

# What the settings ask for; the checks of `lint` connect to nothing.
LINT_SETTINGS := SECRET_KEY=only-for-lint-and-known-to-everybody BASE_URL=http://localhost:8000 REDIS_URL=redis://localhost \
	DATABASE_URL=postgresql://portal_app@localhost/portal

.DEFAULT_GOAL := help
.PHONY: help demo test lint chaos bench interop lock clean embedded dev

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

demo: embedded ## Start the whole portal with two seeded organisations (PORT=8000)
	@exec $(RUN) portal.demo.run --port $(PORT) --provider-port $(IDP_PORT)

test: lint ## Run every check: lint, unit tests, journeys in a real browser
	@$(RUN) pytest -q -n 2 -m "not journey and not chaos and not interop"
	@PORTAL_BROWSER="$$(sh deploy/browser.sh)" && export PORTAL_BROWSER && $(RUN) pytest -q -m journey

lint: dev ## Check style, types, layers and templates
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet .
	@$(LINT_SETTINGS) $(RUN) mypy --no-error-summary portal sso imports tests bench manage.py
	@.venv/bin/python -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-logo
	@$(RUN) djlint --quiet --check --lint templates
	@echo "Lint: all good."

chaos: dev ## Kill workers at fifty random and at every chosen moment, and compare the rosters
	@$(RUN) pytest -q -n 2 -m "chaos or not chaos" tests/imports/test_kill.py
	@$(RUN) pytest -q -n 2 -m chaos --deselect tests/imports/test_kill.py

bench: dev ## Measure against the floors (bench/)
	@$(RUN) bench

interop: dev ## Sign in with other makers' identity providers, in a real browser
	@sh deploy/interop.sh

lock: dev ## Compile requirements/*.txt from pyproject.toml (needs uv)
	@$(LOCK) -o requirements/base.txt
	@$(LOCK) --extra embedded -o requirements/embedded.txt
	@$(LOCK) --extra embedded --extra dev -o requirements/dev.txt

clean: ## Remove the environment and everything that ran embedded, data included
	@[ ! -x .venv/bin/python ] || [ ! -d var ] || $(RUN) portal.embedded
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

embedded dev:
	@sh deploy/bootstrap.sh $@
