"""The answers of a store, as they are and as they were known at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge

import msgspec

from domain.assess import Assessment, assess, assessments
from infra.answers import assessment_json
from infra.codec import instant_text
from services.bootstrap import Parts
from services.histories import History, histories
from services.programme import programme_months, whole_programme


class _Place(msgspec.Struct, gc=False):
    """Where an assessment stands in the order."""

    practice_id: str
    patient_id: str
    month: str
    status: str


_PLACE = msgspec.json.Decoder(_Place)
Placed = tuple[tuple[str, str, str], bytes]


def as_known(
    parts: Parts,
    as_of_us: int,
    practice: str | None = None,
    patient: str | None = None,
    month: str | None = None,
    status: str | None = None,
    all_months: bool = False,
) -> Iterator[bytes]:
    """What the log held by an instant (microseconds since the epoch), assessed anew.

    In the form and order of the read model. Rules, fees and policies are today's: the version
    and the digest in each answer say which.
    """
    for history in histories(parts.store, practice, patient):
        for answer in known_answers(parts, history, as_of_us, all_months):
            if month in (None, answer.month) and status in (None, answer.status):
                yield assessment_json(answer)


def known_answers(
    parts: Parts, history: History, as_of_us: int, all_months: bool = False
) -> Iterator[Assessment]:
    """A patient's months as they were known at an instant, in order; the instant is their
    `as_of`."""
    known = history.by(as_of_us)
    if not known.events:
        return
    policy = parts.settings.policy_of(known.practice_id)
    if all_months:
        found = whole_programme(known.patient(), parts.book, policy, as_of_us // 1_000_000)
    else:
        found = assessments(known.patient(), parts.book, policy)
    as_of = instant_text(as_of_us)
    for answer in found:
        yield replace(answer, as_of=as_of)


def with_empty_months(
    parts: Parts,
    practice: str | None = None,
    patient: str | None = None,
    month: str | None = None,
    status: str | None = None,
) -> Iterator[bytes]:
    """The read model's rows, and between them every other month of enrolled patients."""
    live = (_placed(body) for body in parts.store.assessments(practice, patient, month, status))
    if status in (None, "accruing"):
        empty = _empty_months(parts, practice, patient, month)
    else:
        empty = iter(())
    last = None
    for place, body in merge(live, empty, key=lambda pair: pair[0]):
        if place != last:
            yield body
        last = place


def _placed(body: bytes) -> Placed:
    place = _PLACE.decode(body)
    return (place.practice_id, place.patient_id, place.month), body


def _empty_months(
    parts: Parts, practice: str | None, patient: str | None, month: str | None
) -> Iterator[Placed]:
    for history in histories(parts.store, practice, patient):
        for answer in quiet_answers(parts, history):
            if month in (None, answer.month):
                place = (history.practice_id, history.patient_id, answer.month)
                yield place, assessment_json(answer)


def quiet_answers(parts: Parts, history: History) -> Iterator[Assessment]:
    """A patient's months in the programme in which nothing happened that has a ground to be
    assessed, up to the current one, in order."""
    folded = history.patient()
    policy = parts.settings.policy_of(history.practice_id)
    busy = {answer.month for answer in assessments(folded, parts.book, policy)}
    for quiet in sorted(programme_months(folded, parts.clock() // 1_000_000) - busy):
        yield assess(folded, quiet, parts.book, policy)
