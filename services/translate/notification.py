"""What a subscription notification says of itself, in the forms of R4, R4B and R5.

R4 (Backport) has a Parameters resource, R4B and R5 have SubscriptionStatus; counters are strings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.translate.reading import Resource, items, obj, text

HANDSHAKE, HEARTBEAT = "handshake", "heartbeat"
EVENT, QUERY_STATUS, QUERY_EVENT = "event-notification", "query-status", "query-event"

TYPES = (HANDSHAKE, HEARTBEAT, EVENT, QUERY_STATUS, QUERY_EVENT)

ENDED = frozenset({"error", "off"})
"""States of a subscription in which nothing more comes."""

COUNTER_MAX = 2**62


@dataclass(frozen=True, slots=True)
class Notification:
    """`count` is the number of events since the start of the subscription, None where it is not
    told; `numbers` those of the events told here; `focus` what they are about."""

    subscription: str
    type: str
    count: int | None
    numbers: tuple[int, ...] = ()
    focus: tuple[str, ...] = ()
    at: str = ""
    empty: bool = False
    """Whether it says that something changed, and not what."""
    status: str = ""
    """Of the subscription."""


@dataclass(slots=True)
class Counter:
    """How far a subscription was heard: the last event number, and when that was."""

    last: int = 0
    at: str = ""
    missing: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of event numbers that the last notification skipped."""

    def hear(self, said: Notification) -> None:
        """Move on by a notification. An older or repeated one moves nothing.

        A handshake begins anew, or goes on: a server that gave up on us for a while tells in it
        how far it has counted in the meantime.
        """
        self.missing = []
        if said.type == HANDSHAKE and (said.count or 0) <= self.last:
            self.last, self.at = said.count or 0, said.at or self.at
            return
        if said.type == QUERY_EVENT:
            return
        for number in sorted(self._told(said)):
            if number > self.last + 1:
                self.missing.append((self.last + 1, number - 1))
            self.last = max(self.last, number)
        if said.type != EVENT and said.count is not None and said.count > self.last:
            self.missing.append((self.last + 1, said.count))
            self.last = said.count
        self.at = max(self.at, said.at)

    @staticmethod
    def _told(said: Notification) -> Iterable[int]:
        if said.numbers or said.type != EVENT or said.count is None:
            return said.numbers
        return range(max(1, said.count - max(1, len(said.focus)) + 1), said.count + 1)


def read_notification(resource: Resource, at: str) -> Notification | None:
    """The status of a notification bundle, from its first resource; None where it is none."""
    if resource.get("resourceType") == "SubscriptionStatus":
        return _of_status(resource, at)
    if resource.get("resourceType") == "Parameters":
        return _of_parameters(resource, at)
    return None


def _of_status(resource: Resource, at: str) -> Notification:
    events = items(resource.get("notificationEvent"))
    numbers = [_count(event.get("eventNumber")) for event in events]
    return Notification(
        text(obj(resource.get("subscription")).get("reference")),
        text(resource.get("type")),
        _count(resource.get("eventsSinceSubscriptionStart")),
        tuple(number for number in numbers if number is not None),
        _references(event.get("focus") for event in events),
        at,
        status=text(resource.get("status")),
    )


def _of_parameters(resource: Resource, at: str) -> Notification | None:
    parameters = items(resource.get("parameter"))
    named = {text(each.get("name")): each for each in parameters}
    if "subscription" not in named or "type" not in named:
        return None
    events = [items(each.get("part")) for each in parameters if each.get("name") == _EVENT_PART]
    parts = [part for event in events for part in event]
    numbers = [_count(_value(part)) for part in parts if part.get("name") == "event-number"]
    return Notification(
        text(obj(named["subscription"].get("valueReference")).get("reference")),
        text(_value(named["type"])),
        _count(_value(named.get("events-since-subscription-start", {}))),
        tuple(number for number in numbers if number is not None),
        _references(part.get("valueReference") for part in parts if part.get("name") == "focus"),
        at,
        status=text(_value(named.get("status", {}))),
    )


_EVENT_PART = "notification-event"


def _references(values: Iterable[Any]) -> tuple[str, ...]:
    """Each once, in order: events may be coalesced."""
    found = (text(obj(value).get("reference")) for value in values)
    return tuple(dict.fromkeys(filter(None, found)))


def _value(part: Resource) -> Any:
    return next((value for name, value in part.items() if name.startswith("value")), None)


def _count(value: Any) -> int | None:
    """A counter, which is a string, or a number from careless servers."""
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    return min(int(digits), COUNTER_MAX)
