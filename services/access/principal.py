"""A principal: a person or a service, its roles, and the practices it is bound to.

Every route names the right it needs, and every query the practice it reads; both are asked of the
principal of the request, never of what the request itself says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from starlette.requests import HTTPConnection


class Right(StrEnum):
    """What a route does."""

    READ = "read"
    """Patients' months: assessments, explanations, timelines, alerts, the board."""
    ENTER = "enter"
    """Facts by hand: time, consent, plans; timers."""
    CLOSE = "close"
    """Claim and reopen months."""
    QUEUE = "queue"
    """Dead letters and reviews: correct and replay."""
    AUDIT = "audit"
    """As-of differences, evidence packets, the access log."""
    FEED = "feed"
    """Send events."""
    SUBSCRIBE = "subscribe"
    """Follow the stream of alerts."""
    WATCH = "watch"
    """Figures about the machinery: metrics."""
    OPERATE = "operate"
    """Settings, accounts and service tokens."""


class Role(StrEnum):
    """What a person or a service is here for."""

    COORDINATOR = "coordinator"
    BILLER = "biller"
    PRACTITIONER = "practitioner"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.COORDINATOR: frozenset({Right.READ, Right.ENTER, Right.SUBSCRIBE}),
    Role.BILLER: frozenset({Right.READ, Right.CLOSE, Right.SUBSCRIBE}),
    Role.PRACTITIONER: frozenset({Right.READ, Right.ENTER, Right.SUBSCRIBE}),
    Role.AUDITOR: frozenset({Right.READ, Right.AUDIT}),
    Role.INTEGRATOR: frozenset({Right.FEED, Right.QUEUE, Right.SUBSCRIBE, Right.WATCH}),
    Role.ADMIN: frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from. `practices` None: every practice of this installation."""

    name: str
    roles: frozenset[Role]
    practices: frozenset[str] | None = None

    def may(self, right: Right) -> bool:
        """Whether one of the roles holds the right."""
        return any(right in RIGHTS[role] for role in self.roles)

    def sees(self, practice_id: str) -> bool:
        """Whether the practice is one of this principal's."""
        return self.practices is None or practice_id in self.practices

    def seen(self, practice_ids: Iterable[str]) -> list[str]:
        """Of these practices the ones this principal sees, sorted."""
        return sorted(practice for practice in practice_ids if self.sees(practice))


NOBODY: Final = Principal("nobody", frozenset(), frozenset())
"""Whoever brings nothing where people are told apart."""

EVERYBODY_HERE: Final = Principal("this machine", frozenset({Role.ADMIN}))
"""Whoever asks on loopback while nothing is set up to tell people apart."""


def principal_of(connection: HTTPConnection) -> Principal:
    """The principal that the front found. Without a front before it nobody may anything."""
    found = getattr(connection.state, "principal", NOBODY)
    assert isinstance(found, Principal)
    return found


def person_of(connection: HTTPConnection) -> str:
    """Who asks, as a text that means nobody else: names of people may be alike."""
    session = getattr(connection.state, "session", None)
    if session is not None:
        return f"{session.way} {session.subject}"
    return f"name {principal_of(connection).name}"
