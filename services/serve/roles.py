"""Roles: which parts of the product a process runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.settings import Settings


class Role(StrEnum):
    """What a process can be told to do; `all` is everything that is configured."""

    INGEST = "ingest"
    PROJECTOR = "projector"
    NOTIFIER = "notifier"
    API = "api"
    ALL = "all"


class RoleError(ValueError):
    """A role cannot be served with these settings."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process will run."""

    roles: tuple[Role, ...]
    consumes: bool
    """Reads the events topic."""
    takes_events: bool
    """Takes events over HTTP."""
    listens: bool
    """Takes HL7 v2 over MLLP."""
    streams: bool
    """Streams alerts over HTTP."""
    projects: bool
    notifies: bool
    notes: tuple[str, ...]
    """Sentences for people about what is not served, and why."""

    @property
    def ingests(self) -> bool:
        """Whether anything comes in through this process."""
        return self.consumes or self.takes_events or self.listens


def parse_roles(words: Sequence[str]) -> tuple[Role, ...]:
    """Roles of an option that may be repeated and may hold several with commas.

    Raises RoleError.
    """
    roles: list[Role] = []
    for word in (part.strip() for text in words for part in text.split(",")):
        try:
            role = Role(word)
        except ValueError:
            expected = ", ".join(Role)
            raise RoleError(f"--role: expected {expected}; found {word[:60]!r}") from None
        if role not in roles:
            roles.append(role)
    return tuple(roles) or (Role.ALL,)


def plan(settings: Settings, roles: Sequence[Role]) -> Plan:
    """What these roles come to under these settings. Raises RoleError."""
    kafka, http = settings.kafka is not None, settings.http_address is not None
    mllp = settings.mllp_address is not None
    named = set(roles)
    everything = Role.ALL in named
    wanted = set(Role) if everything else named
    if not everything:
        _check(wanted, kafka or mllp, http)
    elif not (kafka or http or mllp):
        raise RoleError("nothing can be served: set CARETALLY_KAFKA, or CARETALLY_HTTP")
    return Plan(
        roles=tuple(roles),
        consumes=kafka and Role.INGEST in wanted,
        takes_events=http and bool(wanted & {Role.INGEST, Role.API}),
        listens=mllp and Role.INGEST in wanted,
        streams=http and Role.API in wanted,
        projects=Role.PROJECTOR in wanted,
        notifies=Role.NOTIFIER in wanted,
        notes=_notes(wanted, kafka),
    )


def _check(wanted: set[Role], feed: bool, http: bool) -> None:
    if Role.INGEST in wanted and not (feed or http):
        raise RoleError("--role ingest: no door is open: set CARETALLY_KAFKA, or CARETALLY_HTTP")
    if Role.API in wanted and not http:
        raise RoleError("--role api: it is served over HTTP, and CARETALLY_HTTP is off")


def _notes(wanted: set[Role], kafka: bool) -> tuple[str, ...]:
    if kafka or not wanted & {Role.INGEST, Role.NOTIFIER}:
        return ()
    return ("CARETALLY_KAFKA is not set: events are taken over HTTP only, no alert goes to Kafka",)
