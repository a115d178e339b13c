"""Events that a translation made, checked without detours: the types that feeds make most.

Whatever is not wholly plain and right is left to the full decoder, which alone complains; so this
says either nothing or exactly what the full decoder says (a test holds them together).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, Final

import msgspec

from domain import facts
from domain.event import Event
from domain.facts import CLOCK_SOURCE, Fact
from infra.codec import content_digest, sorted_json, unfrozen
from services.wire.decode import Accepted
from services.wire.entries import seconds_of
from services.wire.instants import FIRST_DAY, LAST_DAY
from services.wire.limits import IDENTIFIER_CHARS_MAX, SOURCE_CHARS_MAX
from services.wire.scalars import npi

_HCPCS: Final = re.compile(r"[0-9A-Z]{5}", re.ASCII).fullmatch
_ICD10: Final = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?", re.ASCII).fullmatch

_UnfrozenEvent = unfrozen(Event)
_convert = msgspec.convert


def made(document: dict[str, Any], history: bool) -> Accepted | None:
    """The event of a document; None where the decoder must look at it.

    The document has the attributes of a CloudEvent and no others, all of them texts.
    """
    name, source, id = document["type"], document["source"], document["id"]
    practice, patient = document["practiceid"], document["subject"]
    if name not in _FACTS or not _are_plain(practice, patient, id, source):
        return None
    data, time_text = document["data"], document["time"]
    fact, said, time = _fact(name, data), _said(data), seconds_of(time_text)
    if fact is None or said is None or time < 0:
        return None
    digest = content_digest(practice, patient, name, time_text, said)
    event: Event = _UnfrozenEvent(practice, patient, source, id, time, fact, digest, None, history)
    event.__class__ = Event
    return Accepted(event, name, time_text, said)


def _are_plain(practice: str, patient: str, id: str, source: str) -> bool:
    """Whether these are identifiers and a source in printable ASCII."""
    texts = f"{practice}{patient}{id}{source}"
    return (
        texts.isascii()
        and texts.isprintable()
        and 0 < len(practice) <= IDENTIFIER_CHARS_MAX
        and 0 < len(patient) <= IDENTIFIER_CHARS_MAX
        and 0 < len(id) <= IDENTIFIER_CHARS_MAX
        and 0 < len(source) <= SOURCE_CHARS_MAX
        and source != CLOCK_SOURCE
    )


def _fact(name: str, data: dict[str, Any]) -> Fact | None:
    of, fact_of = _FACTS[name]
    if not data.keys() <= _MEMBERS[name]:
        return None
    try:
        return fact_of(_convert(data, of))
    except ValueError:
        return None


def _said(data: dict[str, Any]) -> bytes | None:
    try:
        return sorted_json(data)
    except (ValueError, OverflowError):
        return None


class _Service(msgspec.Struct, gc=False):
    from_on: date = msgspec.field(name="from")
    through: date
    hcpcs: str
    npi: str


def _service(told: _Service) -> Fact | None:
    if not FIRST_DAY <= told.from_on <= told.through <= LAST_DAY or not _is_hcpcs(told.hcpcs):
        return None
    return facts.ServiceBilled(told.hcpcs, told.from_on, told.through, npi(told.npi))


def _stay(stay: facts.StayRecorded) -> Fact | None:
    last = LAST_DAY if stay.discharged_on is None else stay.discharged_on
    return stay if FIRST_DAY <= stay.admitted_on <= last <= LAST_DAY else None


def _visit(visit: facts.VisitRecorded) -> Fact | None:
    fits = _is_within(visit.on) and _is_hcpcs(visit.hcpcs) and npi(visit.npi)
    return visit if fits else None


def _condition(condition: facts.ConditionRecorded) -> Fact | None:
    on = condition.onset_on
    fits = _is_icd10(condition.code) and (on is None or _is_within(on))
    return condition if fits else None


def _resolved(resolved: facts.ConditionResolved) -> Fact | None:
    fits = _is_icd10(resolved.code) and _is_within(resolved.resolved_on)
    return resolved if fits else None


def _death(death: facts.PatientDied) -> Fact | None:
    return death if _is_within(death.died_on) else None


def _is_within(on: date) -> bool:
    return FIRST_DAY <= on <= LAST_DAY


@lru_cache(maxsize=4096)
def _is_hcpcs(text: str) -> bool:
    return _HCPCS(text) is not None


@lru_cache(maxsize=4096)
def _is_icd10(text: str) -> bool:
    return _ICD10(text) is not None


_FACTS: Final[dict[str, tuple[type[Any], Callable[[Any], Fact | None]]]] = {
    "stay.recorded.v1": (facts.StayRecorded, _stay),
    "visit.recorded.v1": (facts.VisitRecorded, _visit),
    "condition.recorded.v1": (facts.ConditionRecorded, _condition),
    "condition.resolved.v1": (facts.ConditionResolved, _resolved),
    "patient.died.v1": (facts.PatientDied, _death),
    "service.billed.v1": (_Service, _service),
}
"""How the `data` of a type is read, and what makes it a fact: None, or ValueError, for what does
not fit."""
_MEMBERS: Final = {
    name: frozenset(each.encode_name for each in msgspec.inspect.type_info(of).fields)  # type: ignore[attr-defined]
    for name, (of, _) in _FACTS.items()
}
"""All that `data` may have: strings and booleans, which have one canonical form."""
