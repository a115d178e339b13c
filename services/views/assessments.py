"""Assessments page by page: as they are, or as they were known at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

import msgspec

from domain.assess import Assessment
from infra.answers import assessment_json
from infra.eventstore.browsing import open_browsing
from projections.browsing import Place, Wanted
from services.bootstrap import Parts
from services.histories import histories_of
from services.readings import known_answers, quiet_answers
from services.views.people import Person, people

ROWS_MAX: Final = 20_000
"""Rows that are looked at for one page, whatever they are filtered by."""

PATIENTS_MAX: Final = 500
"""Patients whose history is folded for one page."""

LAST_MONTH: Final = "9999-99"
"""Beyond every month: a patient with this place is done."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which assessments are asked for. None is any; `practices` are those that may be seen.

    `code` and `family` are of the selected option, `blocker` is one of several. `as_of_us` is an
    instant in microseconds since the epoch.
    """

    practices: frozenset[str] | None = None
    patient: str | None = None
    month: str | None = None
    status: str | None = None
    code: str | None = None
    family: str | None = None
    blocker: str | None = None
    as_of_us: int | None = None
    all_months: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Canonical bytes in order of practice, patient, month. `next` is where the next page goes on,
    None after the last. A page may be short, even empty, and not the last: work has a limit."""

    items: list[bytes]
    next: Place | None


class _Line(msgspec.Struct, gc=False):
    code: str


class _Answer(msgspec.Struct, gc=False):
    status: str
    codes: tuple[_Line, ...]
    family: str | None
    blockers: tuple[str, ...]


_ANSWER = msgspec.json.Decoder(_Answer)
Placed = tuple[Place, bytes]


def assessments_page(parts: Parts, chosen: Chosen, after: Place | None, limit: int) -> Page:
    """At most `limit` assessments beyond `after`."""
    items: list[bytes] = []
    last = after
    for place, body in _placed(parts, chosen, after, limit):
        if not body:
            return Page(items, place)
        if _fits(body, chosen):
            if len(items) == limit:
                return Page(items, last)
            items.append(body)
        last = place
    return Page(items, None)


def assessment_of(
    parts: Parts, practice: str, patient: str, month: str, as_of_us: int | None = None
) -> bytes | None:
    """One month of one patient; None where it has no assessment, or was not known."""
    only = frozenset({practice})
    if as_of_us is None:
        live = open_browsing(parts.store).assessments(Wanted(only, patient, month), None, 1)
        if live:
            return live[0][1]
    chosen = Chosen(only, patient, month, as_of_us=as_of_us, all_months=True)
    found = assessments_page(parts, chosen, None, 1).items
    return found[0] if found else None


def _fits(body: bytes, chosen: Chosen) -> bool:
    """What no column says; status too, which folded answers have not been asked for."""
    if (chosen.status, chosen.code, chosen.family, chosen.blocker) == (None,) * 4:
        return True
    answer = _ANSWER.decode(body)
    return (
        chosen.status in (None, answer.status)
        and (chosen.code is None or any(line.code == chosen.code for line in answer.codes))
        and chosen.family in (None, answer.family)
        and (chosen.blocker is None or chosen.blocker in answer.blockers)
    )


def _placed(parts: Parts, chosen: Chosen, after: Place | None, limit: int) -> Iterator[Placed]:
    """Candidates in order. An empty body says that enough was looked at for one page."""
    if chosen.as_of_us is None and not chosen.all_months:
        return _stored(parts, chosen, after, limit)
    return _folded(parts, chosen, after)


def _stored(parts: Parts, chosen: Chosen, after: Place | None, limit: int) -> Iterator[Placed]:
    browsing = open_browsing(parts.store)
    wanted = _wanted(chosen)
    looked, size = 0, limit + 1
    while rows := browsing.assessments(wanted, after, size):
        yield from rows
        after, looked = rows[-1][0], looked + len(rows)
        if len(rows) < size:
            return
        if looked >= ROWS_MAX:
            yield after, b""
        size = min(2 * size, 2_000)


def _wanted(chosen: Chosen) -> Wanted:
    return Wanted(chosen.practices, chosen.patient, chosen.month, chosen.status)


def _folded(parts: Parts, chosen: Chosen, after: Place | None) -> Iterator[Placed]:
    """Patient by patient, beginning with the one whose months may not all have been given."""
    begun = None if after is None else Person(after.practice_id, after.patient_id)
    everybody = people(parts.store, chosen.practices, chosen.patient, begun)
    if after is not None and after.month == LAST_MONTH:
        everybody = (person for person in everybody if person != begun)
    for number, person in enumerate(everybody, 1):
        for place, body in _months(parts, chosen, person):
            if after is None or place > after:
                yield place, body
        if number == PATIENTS_MAX:
            yield Place(*person, LAST_MONTH), b""


def _months(parts: Parts, chosen: Chosen, person: Person) -> Iterable[Placed]:
    (history,) = histories_of(parts.store, [person])
    if chosen.as_of_us is not None:
        answers = known_answers(parts, history, chosen.as_of_us, chosen.all_months)
        return _of_month(answers, chosen.month)
    live = open_browsing(parts.store).assessments(
        Wanted({person.practice_id}, person.patient_id, chosen.month), None, ROWS_MAX
    )
    known = {place for place, _ in live}
    quiet = (q for q in _of_month(quiet_answers(parts, history), chosen.month) if q[0] not in known)
    return merge(live, quiet, key=lambda placed: placed[0])


def _of_month(answers: Iterable[Assessment], month: str | None) -> Iterator[Placed]:
    for answer in answers:
        if month in (None, answer.month):
            place = Place(answer.practice_id, answer.patient_id, answer.month)
            yield place, assessment_json(answer)
