"""djangosaml2 in an environment of its own: nothing of it is installed beside the portal or on the machine.

Its Python packages go into a virtual environment that also sees ours; `xmlsec1`, the program that it calls, is taken
out of Debian's packages into a folder, unless the machine has it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from statistics import median

from portal import embedded

_PACKAGES = ("djangosaml2==1.12.0", "pysaml2==7.5.5")
_DEBIAN = ("xmlsec1", "libxmlsec1", "libxmlsec1-openssl", "libxslt1.1", "libltdl7", "libxml2", "libicu72")
_HOME = embedded.VAR / "djangosaml2"
_SIGN_INS = 20


class UnavailableError(Exception):
    """It cannot be installed here; the reason is the text."""


def seconds_of_a_sign_in(directory: Path) -> float:
    """Return the median time of its posted answer, over people who come for the first time.

    Raises:
        UnavailableError: this machine has no network, or no Debian packages.
    """
    python, xmlsec = _python(), _xmlsec()
    own = directory / "djangosaml2"
    own.mkdir(parents=True, exist_ok=True)
    said = _run([str(python), "-m", "bench.djangosaml2_side", str(own), str(xmlsec), str(_SIGN_INS + 1)])
    # The first one pays for imports.
    return float(median(json.loads(said)[1:]))


def _python() -> Path:
    python = _HOME / "bin" / "python"
    if not (_HOME / "complete").exists():
        shutil.rmtree(_HOME, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(_HOME)])
        (site,) = _HOME.glob("lib/python3*/site-packages")
        (site / "portal.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *_PACKAGES])
        (_HOME / "complete").touch()
    return python


def _xmlsec() -> Path:
    installed = shutil.which("xmlsec1")
    if installed:
        return Path(installed)
    program = _HOME / "xmlsec1"
    if not program.exists():
        packages, root = _HOME / "packages", _HOME / "root"
        packages.mkdir(exist_ok=True)
        _run(["apt-get", "download", *_DEBIAN], cwd=packages)
        for package in packages.glob("*.deb"):
            _run(["dpkg", "-x", str(package), str(root)])
        (libraries,) = {found.parent for found in root.glob("usr/lib/*/libxmlsec1.so.*")}
        program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{root}/usr/bin/xmlsec1" "$@"\n')
        program.chmod(0o755)
    return program


def _run(command: list[str], *, cwd: Path = embedded.CHECKOUT) -> str:
    try:
        return subprocess.run(  # noqa: S603  Our own words only.
            command, cwd=cwd, check=True, capture_output=True, text=True, timeout=600
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise UnavailableError(said.strip().splitlines()[-1]) from error
