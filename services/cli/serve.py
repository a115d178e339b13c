"""`caretally serve`: the parts of the product as a service, by role."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import configured, fail, opened, shown

if TYPE_CHECKING:
    import socket

    from infra.settings import Settings

Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE",
        help="ingest, projector, notifier, api or all; may be repeated, or given with commas.",
        show_default="all",
    ),
]
CreateTopics = Annotated[
    bool, typer.Option("--create-topics", help="Create the Kafka topics that are missing.")
]
Http = Annotated[
    str | None,
    typer.Option(
        "--http", metavar="HOST:PORT", help="Serve HTTP here, or 'off'; instead of CARETALLY_HTTP."
    ),
]


def serve(roles: Roles = None, create_topics: CreateTopics = False, http: Http = None) -> None:
    """Run the service until SIGTERM or Ctrl-C: events in, assessments and alerts out.

    The first signal finishes the batch in hand and delivers stored alerts; a second one ends the
    process at once. Nothing is lost or doubled either way. State: /livez, /readyz, /metrics.

    \b
    Example: caretally serve --role ingest,notifier --create-topics
    """
    from services.serve.logs import set_up
    from services.serve.roles import RoleError, parse_roles, plan

    settings = _settings(http)
    try:
        planned = plan(settings, parse_roles(roles or []))
    except RoleError as error:
        fail(str(error))
    if create_topics and settings.kafka is None:
        fail("--create-topics: there is no Kafka to create them in: set CARETALLY_KAFKA")
    set_up(settings.log_level)
    import asyncio
    import logging

    from services.bootstrap import calm_collector
    from services.serve.process import Process

    log = logging.getLogger("caretally.serve")
    for note in planned.notes:
        log.warning(note)
    with opened(settings) as parts:
        try:
            process = Process(parts, planned, create_topics)
        except RoleError as error:
            fail(str(error))
        listener = _listener(settings)
        log.info("roles: %s; database: %s", ", ".join(planned.roles), shown(settings.database))
        calm_collector()
        code = asyncio.run(process.run(listener))
    if process.ended:
        # Python would free a million patients' objects one by one, which takes seconds.
        logging.shutdown()
        os._exit(code)
    raise typer.Exit(code)


def _settings(http: str | None) -> Settings:
    """The settings, `--http` over the variable of the same meaning."""
    from infra.access_settings import HTTP_OFF
    from infra.addresses import split_address

    if http is not None:
        try:
            if http != HTTP_OFF:
                split_address(http)
        except ValueError as error:
            fail(f"--http: {error}, or {HTTP_OFF}; found {http[:60]!r}")
        os.environ["CARETALLY_HTTP"] = http
    return configured()


def _listener(settings: Settings) -> socket.socket | None:
    from services.serve.web import bound

    if settings.http_address is None:
        return None
    try:
        return bound(*settings.http_address)
    except OSError as error:
        fail(f"CARETALLY_HTTP {settings.http}: cannot be bound: {error.strerror or error}")
