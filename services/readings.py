"""The live answers together with the months in which nothing happened."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice

import msgspec

from domain.assess import assess, assessments
from domain.patient import Patient, evolve
from infra.answers import assessment_json
from infra.codec import decode_event, split_stream_id
from projections.ports import StoredStream
from services.bootstrap import Parts
from services.programme import programme_months

STREAMS_AT_ONCE = 500


class _Place(msgspec.Struct, gc=False):
    """Where an assessment stands in the order."""

    practice_id: str
    patient_id: str
    month: str
    status: str


_PLACE = msgspec.json.Decoder(_Place)
Placed = tuple[tuple[str, str, str], bytes]


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
    now = parts.clock() // 1_000_000
    addresses = sorted(
        (split_stream_id(stream), stream)
        for stream in parts.store.versions()
        if practice in (None, split_stream_id(stream)[0])
        and patient in (None, split_stream_id(stream)[1])
    )
    rest = iter(addresses)
    while chunk := list(islice(rest, STREAMS_AT_ONCE)):
        streams = parts.store.load([stream for _, stream in chunk])
        for (owner, subject), stream in chunk:
            folded = folded_patient(owner, subject, streams[stream])
            policy = parts.settings.policy_of(owner)
            busy = {answer.month for answer in assessments(folded, parts.book, policy)}
            for quiet in sorted(programme_months(folded, now) - busy):
                if month in (None, quiet):
                    answer = assess(folded, quiet, parts.book, policy)
                    yield (owner, subject, quiet), assessment_json(answer)


def folded_patient(practice: str, patient: str, stream: StoredStream) -> Patient:
    """The patient as its stored events make it."""
    folded = Patient(practice, patient)
    for stored in stream.events:
        evolve(folded, decode_event(stored))
    return folded
