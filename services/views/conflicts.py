"""What stands against a practice's month: staff at two patients at once, and services of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from domain.alerts import CONFLICTS
from domain.assess.context import month_context
from domain.explain.surroundings import other_services
from domain.facts import Instant, Month
from domain.time.calendar import WIDEST_OFFSET_SECONDS, first_day, following, midnight
from infra.codec import split_stream_id
from infra.eventstore.projected import open_projected
from projections.operators import doubly_billed
from projections.projected import Stretch as Rows
from projections.projected import pointer
from projections.staffing import STRETCH_SECONDS_MAX, Staff, Stretch
from services.bootstrap import Parts
from services.histories import histories_of
from services.projecting import billing, overlaps

SHOWN_MAX: Final = 200
"""Of each kind of conflict on one page."""


class Side(NamedTuple):
    """One of two patients."""

    patient_id: str
    entry_id: str
    month: Month


@dataclass(frozen=True, slots=True)
class Overlap:
    """One performer's clocked work for two patients, as far as it is at the same time."""

    performer: str
    one: Side
    other: Side
    start: Instant
    end: Instant

    @property
    def seconds(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A month that another service blocks. `said` names the services, `kinds` the blockers."""

    patient_id: str
    status: str
    kinds: Sequence[str]
    said: Sequence[str]


@dataclass(frozen=True, slots=True)
class Doubled:
    """A month of one person that several practices of an operator bill. `others` are patients of
    practices that may be seen, as practice and patient; `unseen` how many others there are."""

    patient_id: str
    operator: str
    others: Sequence[tuple[str, str]]
    unseen: int


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All of a practice's month; lists are cut at `SHOWN_MAX`, and then `is_cut`."""

    overlaps: Sequence[Overlap]
    elsewhere: Sequence[Elsewhere]
    doubled: Sequence[Doubled]
    is_cut: bool

    @property
    def count(self) -> int:
        return len(self.overlaps) + len(self.elsewhere) + len(self.doubled)


class _Month(msgspec.Struct, gc=False):
    patient_id: str
    status: str
    blockers: list[str]


_MONTH = msgspec.json.Decoder(_Month)


def conflicts_of(
    parts: Parts, practice: str, month: Month, sees: Callable[[str], bool]
) -> Conflicts:
    """As they stand now; `sees` says which practices may be named."""
    staff, blocked, doubled = _found(parts, practice, month, sees)
    longest = max(len(staff), len(blocked), len(doubled))
    return Conflicts(
        staff[:SHOWN_MAX],
        list(_elsewhere(parts, practice, month, blocked[:SHOWN_MAX])),
        doubled[:SHOWN_MAX],
        longest > SHOWN_MAX,
    )


def count_conflicts(parts: Parts, practice: str, month: Month, sees: Callable[[str], bool]) -> int:
    """How many there are: what `Conflicts.count` says, without looking into histories."""
    return sum(len(found[:SHOWN_MAX]) for found in _found(parts, practice, month, sees))


def _found(
    parts: Parts, practice: str, month: Month, sees: Callable[[str], bool]
) -> tuple[list[Overlap], list[_Month], list[Doubled]]:
    """One of each kind more than is shown, at most."""
    most = SHOWN_MAX + 1
    return (
        list(islice(_overlaps(parts, practice, month), most)),
        list(islice(_blocked(parts, practice, month), most)),
        list(islice(_doubled(parts, practice, month, sees), most)),
    )


def _overlaps(parts: Parts, practice: str, month: Month) -> Iterator[Overlap]:
    """By performer and begin, each pair once."""
    projected = open_projected(parts.store)
    counted = map(overlaps.counted_in, projected.live_rows(overlaps.NAME, overlaps.COUNTS))
    busy = {staff for staff, booked in counted if staff[0] == practice and booked[1] == month}
    generation = parts.store.tracking(pointer(overlaps.NAME)) or 0
    begin, end = _bounds(month)
    for staff in sorted(busy):
        around = Rows(overlaps.part_of(staff), begin - STRETCH_SECONDS_MAX, end)
        rows = projected.rows(overlaps.WORK, generation, [around])
        yield from _pairs(staff, month, sorted(overlaps.work_of(row)[1] for row in rows))


def _bounds(month: Month) -> tuple[Instant, Instant]:
    """Between which instants the month lies wherever a patient may live."""
    first, after = midnight(first_day(month), "UTC"), midnight(first_day(following(month)), "UTC")
    return first - WIDEST_OFFSET_SECONDS, after + WIDEST_OFFSET_SECONDS


def _pairs(staff: Staff, month: Month, work: Sequence[Stretch]) -> Iterator[Overlap]:
    for number, one in enumerate(work):
        for other in work[number + 1 :]:
            if other.start >= one.end:
                break
            if other.stream_id != one.stream_id and month in (one.month, other.month):
                end = min(one.end, other.end)
                yield Overlap(staff[1], _side(one), _side(other), other.start, end)


def _side(stretch: Stretch) -> Side:
    return Side(split_stream_id(stretch.stream_id)[1], stretch.entry_id, stretch.month)


def _blocked(parts: Parts, practice: str, month: Month) -> Iterator[_Month]:
    for body in parts.store.assessments(practice, None, month):
        found = _MONTH.decode(body)
        if not CONFLICTS.isdisjoint(found.blockers):
            yield found


def _elsewhere(
    parts: Parts, practice: str, month: Month, blocked: Sequence[_Month]
) -> Iterator[Elsewhere]:
    addresses = [(practice, one.patient_id) for one in blocked]
    policy = parts.settings.policy_of(practice)
    for one, history in zip(blocked, histories_of(parts.store, addresses), strict=True):
        context = month_context(history.patient(), month, parts.book, policy)
        said = [each.sentence for each in other_services(context) if each.effect in CONFLICTS]
        kinds = [each for each in one.blockers if each in CONFLICTS]
        yield Elsewhere(one.patient_id, one.status, kinds, said)


def _doubled(
    parts: Parts, practice: str, month: Month, sees: Callable[[str], bool]
) -> Iterator[Doubled]:
    operators = parts.settings.file.operators
    if not any(practice in operator.practices for operator in operators.all):
        return
    rows = open_projected(parts.store).live_rows(billing.NAME, billing.BILLED)
    for (operator, _), streams in sorted(billing.billed_by(rows, month).items()):
        who = {stream: split_stream_id(stream) for stream in streams}
        if not doubly_billed({stream: found[0] for stream, found in who.items()}):
            continue
        elsewhere = sorted(found for found in who.values() if found[0] != practice)
        seen = [found for found in elsewhere if sees(found[0])]
        for found in sorted(who.values()):
            if found[0] == practice:
                yield Doubled(found[1], operator, seen, len(elsewhere) - len(seen))
