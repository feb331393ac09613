#!/bin/sh
# Print the path of a Chromium for the journeys: the machine's, else installed by the package manager when root,
# else Playwright's own. Without one the tests fail with a sentence; they are never skipped.
set -eu
cd "$(dirname "$0")/.."

found() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        # The command must answer: some systems ship a stub that only says how to install it.
        if command -v "$name" >/dev/null 2>&1 && "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            exit 0
        fi
    done
}

apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    echo "Installing $1…" >&2
    apt-get -qq update >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$1" >/dev/null 2>&1
}

# What drives the browser is a Node.js inside Playwright's wheel, which needs a library that Debian's base lacks.
driver_runs() {
    for node in .venv/lib/python3*/site-packages/playwright/driver/node; do
        "$node" --version >/dev/null 2>&1 && return
    done
    return 1
}
if ! driver_runs && ! { apt_install libatomic1 && driver_runs; }; then
    echo "The journeys need the library libatomic1: install it as root (apt-get install libatomic1) and start again." >&2
    exit 1
fi

if [ -n "${PORTAL_BROWSER:-}" ]; then
    echo "$PORTAL_BROWSER"
    exit 0
fi
found
if apt_install chromium; then
    found
fi
echo "Downloading Playwright's Chromium…" >&2
if .venv/bin/python -m playwright install chromium >&2; then
    installed=$(.venv/bin/python -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
')
    if "$installed" --version >/dev/null 2>&1; then
        echo "$installed"
        exit 0
    fi
fi
echo "The journeys need a browser, and none could be installed: install Chromium, or name one with PORTAL_BROWSER=." >&2
exit 1
