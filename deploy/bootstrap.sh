#!/bin/sh
# Build the environment in .venv/ from a hashed lock file: `deploy/bootstrap.sh embedded` or `deploy/bootstrap.sh dev`.
#
# A stamp names what was installed whole. Without the stamp that is wanted, the environment is made again from
# nothing, so that an interrupted build, another Python or a changed lock file never leaves a mixture.
set -eu
cd "$(dirname "$0")/.."

kind=$1
python=${PYTHON:-python3}

say() {
    echo "$1" >&2
}

find_python() {
    if ! command -v "$python" >/dev/null 2>&1; then
        say "Python 3.11 or newer is needed, and there is no $python: install it, or name it with PYTHON=."
        exit 1
    fi
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "Python 3.11 or newer is needed, and $python is $("$python" -V): name another with PYTHON=."
        exit 1
    fi
}

# Debian ships python3 without ensurepip, which venv needs.
find_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing python3-venv…"
        if apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install --yes --no-install-recommends python3-venv >/dev/null &&
            "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            return
        fi
    fi
    say "$python has no venv module: install it as root (on Debian: apt-get install python3-venv) and start again."
    exit 1
}

stamp_of() {
    "$python" - "requirements/$1.txt" <<'END'
import hashlib, pathlib, sys
print(hashlib.sha256(sys.version.encode() + pathlib.Path(sys.argv[1]).read_bytes()).hexdigest()[:16])
END
}

built() {
    [ -e ".venv/.stamp-$1-$(stamp_of "$1")" ] && .venv/bin/python -c '' 2>/dev/null
}

build() {
    find_venv
    say "Building .venv/ (once; some minutes)…"
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input \
        --require-hashes --only-binary :all: --requirement "requirements/$kind.txt"
    touch ".venv/.stamp-$kind-$(stamp_of "$kind")"
}

find_python
# Two makes at once in one checkout: the second waits for the first.
mkdir -p var/static
if command -v flock >/dev/null 2>&1; then
    exec 9>var/bootstrap.lock
    flock 9
fi
# What the tests install holds all that the demo needs.
built "$kind" || { [ "$kind" = embedded ] && built dev; } || build
# The catalogues are compiled here, because a fresh machine has no GNU gettext.
.venv/bin/pybabel --quiet compile --domain django --directory portal/locale 2>/dev/null || {
    say "The catalogue of messages does not compile: .venv/bin/pybabel compile --domain django --directory portal/locale"
    exit 1
}
