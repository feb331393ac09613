"""The embedded servers: real PostgreSQL and Valkey in directories of this run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from portal import embedded
from portal.embedded_home import EmbeddedError, home_of, outside_home
from portal.processes import stop_orphan
from tests.servers import STARTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTHING: dict[str, str] = {}
LONG = "a directory whose path is longer than a socket's may be " * 3


@pytest.fixture
def place() -> Iterator[Callable[[str], Path]]:
    """Name directories in this run's folder, which the servers' user can reach, and remove them."""
    made: list[Path] = []

    def make(name: str) -> Path:
        made.append(Path(os.environ[STARTED]) / name)
        return made[-1]

    yield make
    for directory in made:
        embedded.discard(directory)


def ask(url: str, query: bytes) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, dict[str, str]]]:
    """Servers that several tests look at, in a directory that no socket's path could name."""
    directory = Path(os.environ[STARTED]) / f"{LONG}{os.getpid()}" / "var"
    with start(directory) as servers:
        yield directory, servers.environment
    embedded.discard(directory)


def execute(url: str, *statements: bytes) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def start(directory: Path) -> embedded.Servers:
    return embedded.start(directory, given=NOTHING, durable=False)


def test_a_long_path_with_spaces_works_and_nothing_listens_on_tcp(
    running: tuple[Path, dict[str, str]],
) -> None:
    directory, environment = running
    assert ask(environment["DATABASE_URL"], b"SHOW listen_addresses") == [("",)]
    with redis.Redis.from_url(environment["REDIS_URL"]) as valkey:
        assert valkey.config_get("port") == {"port": "0"}
        assert valkey.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    sockets = Path((directory / "sockets").read_text())
    assert sockets.stat().st_mode & 0o077 == 0
    assert (sockets / ".s.PGSQL.5432").is_socket()


def test_the_roles_may_do_no_more_than_production_allows(running: tuple[Path, dict[str, str]]) -> None:
    app, owner = running[1]["DATABASE_URL"], running[1]["DATABASE_OWNER_URL"]
    dangerous = b"""SELECT rolname FROM pg_roles WHERE rolname LIKE 'portal%'
                    AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"""
    assert ask(owner, dangerous) == []
    logins = b"SELECT rolname FROM pg_roles WHERE rolname LIKE 'portal%' AND rolcanlogin ORDER BY 1"
    assert ask(owner, logins) == [("portal_app",), ("portal_owner",)]
    granted = b"""SELECT inherit_option, set_option, admin_option FROM pg_auth_members
                  WHERE member = 'portal_app'::regrole"""
    assert ask(owner, granted) == [(False, True, False)]
    locale = b"SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'portal'"
    assert ask(owner, locale) == [("b", "C.UTF-8")]
    execute(owner, b"CREATE TABLE allowed ()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(app, b"CREATE TABLE refused ()")
    execute(app, b"CREATE TEMP TABLE landing ()", b"SET ROLE portal_platform")


def test_starting_again_keeps_the_data_and_ends_no_stranger(place: Callable[[str], Path]) -> None:
    directory = place("again")
    with embedded.start(directory, given=NOTHING) as servers:
        backend = ask(servers.environment["DATABASE_URL"], b"SELECT pg_backend_pid()")[0][0]
        execute(servers.environment["DATABASE_OWNER_URL"], b"CREATE TABLE kept AS SELECT 7 AS n")
        with redis.Redis.from_url(servers.environment["REDIS_URL"]) as valkey:
            valkey.set("kept", "7")
    assert not Path(f"/proc/{backend}").exists()
    home = home_of(directory)
    with subprocess.Popen(["sleep", "60"]) as stranger:  # noqa: S607 - coreutils.
        for pid_file in (home.folder / "postgres" / "postmaster.pid", home.folder / "valkey" / "valkey.pid"):
            pid_file.write_text(f"{stranger.pid}\n")
        with embedded.start(directory, given=NOTHING) as servers:
            kept = ask(servers.environment["DATABASE_OWNER_URL"], b"SELECT n FROM kept")
            with redis.Redis.from_url(servers.environment["REDIS_URL"]) as valkey:
                kept += [(valkey.get("kept"),)]
        assert stranger.poll() is None
        stranger.kill()
    assert kept == [(7,), (b"7",)]


def test_a_second_start_in_the_directory_is_refused(running: tuple[Path, dict[str, str]]) -> None:
    with pytest.raises(EmbeddedError, match=rf"already runs in .* \(process {os.getpid()}\)"):
        start(running[0])


def test_two_directories_do_not_meet(running: tuple[Path, dict[str, str]], place: Callable[[str], Path]) -> None:
    with start(place("other")) as other:
        execute(other.environment["DATABASE_OWNER_URL"], b"CREATE TABLE elsewhere ()")
        assert ask(running[1]["DATABASE_OWNER_URL"], b"SELECT to_regclass('elsewhere')") == [(None,)]


def test_a_portal_that_was_killed_recovers(place: Callable[[str], Path]) -> None:
    directory = place("killed")
    program = "import sys, time, pathlib; from portal import embedded; place = pathlib.Path(sys.argv[1]); "
    program += "servers = embedded.start(place, given={}); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(directory)], stdout=subprocess.PIPE, cwd=embedded.CHECKOUT
    ) as victim:
        assert victim.stdout is not None
        said = victim.stdout.readline()
        victim.kill()
    assert said == b"up\n"
    left = Path((directory / "sockets").read_text())
    assert left.exists()
    with start(directory) as servers:
        assert ask(servers.environment["DATABASE_URL"], b"SELECT 1") == [(1,)]
    assert not left.exists()


def test_an_interrupted_creation_is_made_again(place: Callable[[str], Path]) -> None:
    directory = place("half")
    with embedded.exclusive(directory):
        draft = home_of(directory).folder / "postgres.draft"
        draft.mkdir()
        (draft / "PG_VERSION").write_text("18\n")
    with start(directory) as servers:
        assert ask(servers.environment["DATABASE_URL"], b"SELECT 1") == [(1,)]
    assert not draft.exists()


def test_servers_that_the_operator_names_are_used(place: Callable[[str], Path]) -> None:
    given = {
        "DATABASE_URL": "postgresql://a/b",
        "DATABASE_OWNER_URL": "postgresql://o/b",
        "REDIS_URL": "redis://c",
    }
    directory = place("given")
    with embedded.start(directory, given={**given, "HOME": "/"}) as servers:
        assert servers.environment == given
        assert not (directory / "postgres").exists()


def test_a_database_without_its_owner_is_refused(place: Callable[[str], Path]) -> None:
    with pytest.raises(EmbeddedError, match="without DATABASE_OWNER_URL"):
        embedded.start(place("ownerless"), given={"DATABASE_URL": "postgresql://a/b"})


def test_a_server_that_does_not_start_shows_the_end_of_its_log(place: Callable[[str], Path]) -> None:
    directory = place("broken")
    with embedded.exclusive(directory):
        home = home_of(directory)
        home.account.own_folder(home.folder / "postgres")
    with pytest.raises(EmbeddedError, match=r"(?s)postgres did not start.*postgresql\.conf"):
        start(directory)


def test_what_was_chosen_is_remembered_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert embedded.remembered(tmp_path) == {}
    embedded.remember(tmp_path, {"BASE_URL": "http://localhost:9000"})
    assert embedded.remembered(tmp_path) == {"BASE_URL": "http://localhost:9000"}
    assert (tmp_path / embedded.REMEMBERED).stat().st_mode & 0o077 == 0
    monkeypatch.setenv("DATABASE_URL", "postgresql://another/portal")
    assert embedded.remembered(tmp_path) == {}
    monkeypatch.delenv("DATABASE_URL")
    embedded.forget(tmp_path)
    assert embedded.remembered(tmp_path) == {}


def test_the_secret_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = embedded.secret_key(tmp_path)
    assert len(key) > 50
    assert embedded.secret_key(tmp_path) == key
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_a_planted_folder_is_not_trusted(tmp_path: Path) -> None:
    planted = outside_home(tmp_path)
    assert outside_home(tmp_path) == planted
    planted.rmdir()
    planted.symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedError, match="made by somebody else"):
            outside_home(tmp_path)
    finally:
        planted.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the servers to another user")
def test_as_root_a_private_checkout_stays_private(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    directory = private / "var"
    with start(directory) as servers:
        assert ask(servers.environment["DATABASE_URL"], b"SELECT 1") == [(1,)]
        home = home_of(directory)
        assert home.folder == outside_home(directory)
        assert (home.folder / "postgres").stat().st_uid != 0
        assert private.stat().st_mode & 0o777 == 0o700
    embedded.discard(directory)
    assert not home.folder.exists()
    assert not directory.exists()


def test_an_orphan_in_the_folder_is_stopped(place: Callable[[str], Path]) -> None:
    """The orphan writes its pid file itself, as the servers do.

    `Popen` returns before the kernel has given the child its program's name: an orphan that is looked for at once
    passes for a stranger.
    """
    folder = place("orphan")
    folder.mkdir()
    program = "echo $$ > server.pid && echo up && read -r line"
    with subprocess.Popen(
        ["/bin/sh", "-c", program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as orphan:
        assert orphan.stdout is not None
        assert orphan.stdout.readline() == b"up\n"
        stop_orphan(folder / "server.pid", program="sh", ending=signal.SIGTERM)
        assert orphan.wait() == -signal.SIGTERM
    assert not (folder / "server.pid").exists()
