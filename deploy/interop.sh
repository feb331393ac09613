#!/bin/sh
# Install identity providers that others wrote, and run `tests/interop` with them. What cannot be installed is not
# tested: one line SKIPPED says why, and nothing fails.
#
# SimpleSAMLphp comes from Debian's package, unpacked into var/interop/: installed, it would bring a web server and
# start it. npm samlp comes in the versions of its lock file, where there is a Node.js.
set -eu
cd "$(dirname "$0")/.."

kept=$PWD/var/interop
extensions="curl dom mbstring xml"
mkdir -p "$kept" var/test

say() {
    echo "$1" >&2
}

skip() {
    echo "SKIPPED interop$1"
}

# The last words of what went wrong, in one line.
reason() {
    grep -v -e '^W:' -e '^$' -e 'complete log' "$kept/install.log" | tail -n 1 | cut -c 1-200
}

has_php() {
    loaded=$(php -m 2>/dev/null) || return 1
    for each in $extensions; do
        echo "$loaded" | grep -qix "$each" || return 1
    done
}

install_php() {
    has_php && return
    [ "$(id -u)" = 0 ] || { echo "PHP needs the packages php-cli php-xml php-mbstring php-curl" >"$kept/install.log"; return 1; }
    say "Installing PHP…"
    apt-get -qq update >"$kept/install.log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends \
            php-cli php-xml php-mbstring php-curl >"$kept/install.log" 2>&1 && has_php
}

find_simplesamlphp() {
    for place in "${PORTAL_SIMPLESAMLPHP:-}" /usr/share/simplesamlphp "$kept/simplesamlphp/usr/share/simplesamlphp"; do
        if [ -n "$place" ] && [ -e "$place/www/saml2/idp/metadata.php" ]; then
            PORTAL_SIMPLESAMLPHP=$place
            return
        fi
    done
    return 1
}

install_simplesamlphp() {
    find_simplesamlphp && return
    say "Unpacking SimpleSAMLphp…"
    rm -rf "$kept/simplesamlphp.new"
    mkdir "$kept/simplesamlphp.new"
    [ "$(id -u)" != 0 ] || apt-get -qq update >"$kept/install.log" 2>&1 || return 1
    (cd "$kept/simplesamlphp.new" && apt-get -qq download simplesamlphp && dpkg-deb -x simplesamlphp_*.deb .) \
        >"$kept/install.log" 2>&1 && mv "$kept/simplesamlphp.new" "$kept/simplesamlphp" && find_simplesamlphp
}

install_samlp() {
    command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || {
        echo "there is no Node.js with npm" >"$kept/install.log"
        return 1
    }
    modules=$kept/samlp-$(cksum <tests/interop/samlp/package-lock.json | cut -d ' ' -f 1)
    if [ ! -d "$modules" ]; then
        say "Installing npm samlp…"
        rm -rf "$modules.new"
        mkdir "$modules.new"
        cp tests/interop/samlp/package.json tests/interop/samlp/package-lock.json "$modules.new/"
        npm ci --prefix "$modules.new" --ignore-scripts --no-audit --no-fund >"$kept/install.log" 2>&1 || return 1
        mv "$modules.new" "$modules"
    fi
    PORTAL_SAMLP=$modules/node_modules
}

# Two at once in one checkout: the second waits for the first to have installed everything.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$kept/lock"
    flock 9
fi
browser=$(sh deploy/browser.sh)
if ! install_php || ! install_simplesamlphp; then
    skip ": $(reason)"
    exit 0
fi
without=
if ! install_samlp; then
    skip " with npm samlp: $(reason)"
    without=--ignore=tests/interop/test_samlp.py
fi
exec 9>&-

export PORTAL_BROWSER="$browser" PORTAL_SIMPLESAMLPHP PORTAL_SAMLP="${PORTAL_SAMLP:-}"
exec .venv/bin/python -m pytest -q -m interop ${without:+"$without"} "$@" tests/interop
