"""Facts, corrections and alerts of a month in one list, in the order they were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from infra.codec import instant_text
from projections.ports import TransitionRow
from services.audit.telling import Told
from services.pages.enter.ways import can_be_withdrawn
from services.pages.words import minutes
from services.views.record import Known
from services.views.timeline import CORRECTIONS

_BODY = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Happening:
    """`kind` is fact, correction or alert. `state` is what became of a fact since, empty where it
    stands as it was said. `time` is when its sender says it was, `at` when we stored it."""

    key: str
    kind: str
    at: str
    time: str
    what: str
    about: str
    who: str
    why: str
    state: str
    event: Told | None

    @property
    def says(self) -> str:
        return self.state or "stands"

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether it stands and a form of ours takes it back."""
        return self.kind == "fact" and not self.state and can_be_withdrawn(self.what)


def chronicle(known: Known) -> tuple[Happening, ...]:
    """The latest first."""
    found = [*_facts(known), *map(_alert, known.moves)]
    return tuple(each for _, each in sorted(found, key=lambda pair: pair[0], reverse=True))


Placed = tuple[tuple[int, int, int], Happening]
"""By instant of recording; facts before the alerts they caused, each in its own order."""


def _facts(known: Known) -> Iterator[Placed]:
    became = _became(known)
    for number, event in enumerate(known.bearing):
        told = known.told[event.key]
        withdrawn = "withdrawn" if event.key in known.patient.withdrawn else ""
        happening = Happening(
            key=f"event {told.source} {told.id}",
            kind="correction" if isinstance(event.fact, CORRECTIONS) else "fact",
            at=told.recorded_at or "",
            time=told.time,
            what=told.type.removesuffix(".v1"),
            about=told.about,
            who=who(told),
            why=told.reason or "",
            state=became.get((told.source, told.id), withdrawn),
            event=told,
        )
        yield (event.recorded_at_us or 0, 0, number), happening


def _became(known: Known) -> dict[tuple[str, str], str]:
    """What became of each revision of an entry that is not the one that stands."""
    found: dict[tuple[str, str], str] = {}
    for account in known.explained.entries:
        for revision in account.revisions:
            if revision.state != "stands":
                by = f" by {revision.by.id}" if revision.by else ""
                found[revision.event.source, revision.event.id] = revision.state + by
    return found


def who(told: Told) -> str:
    """Who said it, as far as the event names anybody."""
    role = f"{told.performer} ({told.role})" if told.performer else told.npi or ""
    return ", ".join(part for part in (told.by or "", role) if part) or told.source


def _alert(move: TransitionRow) -> Placed:
    body, state = _BODY.decode(move.body), move.state
    unit = f" x{state.unit}" if state.unit > 1 else ""
    to_go = body.get("seconds_to_go")
    left = f", {minutes(to_go)} to go" if isinstance(to_go, int) and to_go else ""
    cause = body.get("cause") or {}
    happening = Happening(
        key=f"alert {state.alert_id} {state.transition}",
        kind="alert",
        at=instant_text(move.recorded_at_us),
        time="",
        what=f"{state.type} {'raised' if state.raised else 'resolved'}",
        about=f"{state.code}{unit}{left}",
        who="",
        why=f"by event {cause['id']}" if "id" in cause else "",
        state=f"not sent: {move.suppressed}" if move.suppressed else "",
        event=None,
    )
    return (move.recorded_at_us, 1, move.position), happening
