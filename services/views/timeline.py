"""A patient's history: facts, corrections and alerts in the order in which they were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import merge
from typing import Final, NamedTuple

import msgspec

from domain.facts import ClockTicked, EventRetracted, Fact, MonthReopened, TimeAmended, TimeVoided
from infra.codec import stream_id
from infra.eventstore.browsing import open_browsing
from projections.ports import TransitionRow
from services.audit.telling import Told, told
from services.bootstrap import Parts
from services.histories import History, history_of

CORRECTIONS: Final = (TimeAmended, TimeVoided, EventRetracted, MonthReopened)


class MomentKind(StrEnum):
    FACT = "fact"
    CORRECTION = "correction"
    """Amends, voids, withdraws or takes back what was said."""
    CLOCK = "clock"
    """Our own clock passed a boundary of a month."""
    ALERT = "alert"


class Mark(NamedTuple):
    """How far a timeline was read: the last event's version and the last alert's position."""

    version: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that came to be known: an event in words, or an alert's transition.

    `recorded_at_us` is microseconds since the epoch, None for an event of unknown recording;
    `version` is the patient's stream version from then on; `mark` is where to go on after it.
    """

    kind: MomentKind
    recorded_at_us: int | None
    version: int
    told: Told | None
    alert: TransitionRow | None
    mark: Mark


class _Body(msgspec.Struct, gc=False):
    stream_version: int


_BODY = msgspec.json.Decoder(_Body)


def timeline(
    parts: Parts,
    practice: str,
    patient: str,
    as_of_us: int | None = None,
    after: Mark = Mark(),  # noqa: B008 — it is a value
) -> Iterator[Moment]:
    """Everything beyond `after` that was recorded by an instant, oldest first.

    Raises Unanswerable for a patient of whom nothing is known, or was then.
    """
    history = history_of(parts.store, practice, patient, as_of_us)
    alerts = [
        row
        for row in open_browsing(parts.store).transitions(stream_id(practice, patient))
        if as_of_us is None or row.recorded_at_us <= as_of_us
    ]
    return _beyond(after, merge(_events(parts, history), _alerts(alerts), key=_order))


def zone_of(parts: Parts, history: History) -> str:
    """The time zone in which a patient's clock times are told: the latest enrolment's."""
    spans = history.patient().chart.spans
    if spans:
        return spans[-1].enrolment.timezone
    return parts.settings.policy_of(history.practice_id).default_timezone


Placed = tuple[tuple[int, int, int], Moment]


def _events(parts: Parts, history: History) -> Iterator[Placed]:
    """In the order of the log, whatever the clock said that stamped them."""
    said = told(history, zone_of(parts, history))
    latest = 0
    for stored, event in zip(history.stored, history.events, strict=True):
        latest = max(latest, event.recorded_at_us or 0)
        found = Moment(
            _kind(event.fact), event.recorded_at_us, stored.version, said[event.key], None, Mark()
        )
        yield (latest, stored.version, 0), found


def _alerts(rows: list[TransitionRow]) -> Iterator[Placed]:
    """After the event that caused them, which has the same instant."""
    latest = 0
    for row in rows:
        latest = max(latest, row.recorded_at_us)
        version = _BODY.decode(row.body).stream_version
        found = Moment(MomentKind.ALERT, row.recorded_at_us, version, None, row, Mark())
        yield (latest, version, row.position), found


def _order(placed: Placed) -> tuple[int, int, int]:
    return placed[0]


def _kind(fact: Fact) -> MomentKind:
    if isinstance(fact, CORRECTIONS):
        return MomentKind.CORRECTION
    return MomentKind.CLOCK if isinstance(fact, ClockTicked) else MomentKind.FACT


def _beyond(after: Mark, placed: Iterator[Placed]) -> Iterator[Moment]:
    """With the mark of each; what lies up to `after` is left out."""
    mark = Mark()
    for _, found in placed:
        if found.alert is not None:
            mark = mark._replace(position=found.alert.position)
            known = mark.position <= after.position
        else:
            mark = mark._replace(version=found.version)
            known = mark.version <= after.version
        if not known:
            yield replace(found, mark=mark)
