"""Who is meant in a message: patients and people by identifier, never by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from domain.rejections import Reason
from services.translate.hl7v2.segments import NULL, Delimiters, Segment
from services.translate.outcome import Review
from services.translate.people import Whose, patient_system
from services.translate.site import Site

_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,100}")
_NPI = re.compile(r"\d{10}", re.ASCII)


def whose(segment: Segment, field: int, site: Site) -> Whose:
    """The patient that PID-3 or MRG-1 names. Raises `Review`."""
    assert site.hl7v2 is not None
    wanted, where = site.hl7v2.patient, f"{segment.name}-{field}"
    found = _identifier(
        segment.raw(field),
        segment.delimiters,
        segment.charset,
        where,
        wanted.authority,
        wanted.type,
    )
    return Whose(wanted.system or f"{site.source}/PID-3", found)


@lru_cache(maxsize=16_384)
def _identifier(
    raw: str,
    signs: Delimiters,
    charset: str,
    where: str,
    authority: str | None,
    type: str | None,
) -> str:
    """Kept: a feed names the same few patients over and over. Raises `Review`."""
    field = Segment.of_field(raw, signs, charset, where)
    fitting = {_fits(field, each, authority, type) for each in field.repetitions(0)}
    fitting.discard("")
    if len(fitting) == 1:
        return name_of(fitting.pop(), where)
    described = f" of authority {authority!r}" if authority else ""
    described += f" of type {type!r}" if type else ""
    expected = f"expected one identifier{described}"
    if fitting:
        raise Review(Reason.AMBIGUOUS, where, f"{expected}; found several")
    raise Review(Reason.UNKNOWN_PATIENT, where, f"{expected}; found none")


def _fits(field: Segment, repetition: str, authority: str | None, type: str | None) -> str:
    """The identifier, '' where it is another kind."""
    parts = field.components(repetition)
    if authority is not None and authority not in (field.part(parts, 4), field.part(parts, 4, 2)):
        return ""
    number, kind = field.part(parts, 1), field.part(parts, 5)
    if not number or number == NULL:
        return ""
    fits = type in (None, kind) or (authority is not None and not kind)
    return number if fits else ""


def name_of(text: str, field: str) -> str:
    """An identifier that may become part of ours. Raises `Review`."""
    plain = 0 < len(text) <= 100 and text.isascii() and text.isprintable()
    if not plain and not _NAME.fullmatch(text):
        sentence = "expected an identifier of 1 to 100 characters without control characters"
        raise Review(Reason.INVALID_MEMBER, field, sentence)
    return text


def entity(segment: Segment, field: int) -> str:
    """An identifier with its namespace, `5^ACME`; '' where there is none. Raises `Review`."""
    number, where = segment.get(field), f"{segment.name}-{field}"
    if not number or number == NULL:
        return ""
    # EI has its namespace in component 2, CX in component 4.
    component = 4 if segment.name == "PV1" else 2
    authority = segment.get(field, component)
    return name_of(f"{number}^{authority}" if authority else number, where)


class Person(NamedTuple):
    """Somebody in a field: `AUTHORITY|number`, their number, and their NPI where that is it."""

    reference: str
    number: str
    npi: str


def people(segment: Segment, field: int) -> Sequence[Person]:
    """Everybody in an XCN field who has a number."""
    raw = segment.raw(field)
    where = f"{segment.name}-{field}"
    return _people(raw, segment.delimiters, segment.charset, where) if raw else ()


@lru_cache(maxsize=4096)
def _people(raw: str, signs: Delimiters, charset: str, where: str) -> tuple[Person, ...]:
    """Kept: a practice has few people."""
    segment, found = Segment.of_field(raw, signs, charset, where), []
    for repetition in segment.repetitions(0):
        parts = segment.components(repetition)
        number = segment.part(parts, 1)
        if not number or number == NULL:
            continue
        authority, kind = segment.part(parts, 9), segment.part(parts, 13)
        npi = number if "NPI" in (authority.upper(), kind.upper()) else ""
        found.append(Person(f"{authority}|{number}" if authority else number, number, npi))
    return tuple(found)


def written(found: Sequence[Person]) -> str:
    """People as text, to be kept."""
    return "\n".join("\t".join(person) for person in found)


def read_back(text: str) -> list[Person]:
    """The people of `written`."""
    return [Person(*line.split("\t")) for line in text.split("\n") if line.count("\t") == 2]


def npi_of(person: Person, site: Site) -> str:
    """Their NPI, '' where neither the message nor the profile says it."""
    if person.npi and _NPI.fullmatch(person.npi):
        return person.npi
    known = site.practitioner(person.reference) or site.practitioner(person.number)
    return known.npi if known else ""


def one_npi(found: Sequence[Person], field: str, site: Site) -> str:
    """The one NPI among these people. Raises `Review` for none and for several."""
    npis = sorted({npi for person in found if (npi := npi_of(person, site))})
    if len(npis) > 1:
        raise Review(Reason.AMBIGUOUS, field, "expected one practitioner; found several")
    if not npis:
        sentence = "expected a practitioner whose NPI is here or in the site profile; found none"
        raise Review(Reason.UNKNOWN_PERSON, field, sentence)
    return npis[0]


def performer(found: Sequence[Person], field: str, site: Site) -> dict[str, Any]:
    """Who did the work. Raises `Review` for nobody and for several."""
    known: dict[str, dict[str, Any]] = {}
    for person in found:
        member = site.member_of_staff(person.reference) or site.member_of_staff(person.number)
        if member is not None:
            known[member.id] = {"id": member.id, "role": member.role}
            if member.outside_us:
                known[member.id]["outside_us"] = True
        elif site.time.default_role is not None:
            known[person.reference] = {"id": person.reference, "role": site.time.default_role}
    if len(known) > 1:
        raise Review(Reason.AMBIGUOUS, field, "expected one person who did the work; found several")
    if not known:
        sentence = "expected a person whom the site profile names under staff; found none"
        raise Review(Reason.UNKNOWN_PERSON, field, sentence)
    return next(iter(known.values()))


def theirs(patient: Whose, site: Site) -> bool:
    """Whether the identifier is our patient id."""
    assert site.hl7v2 is not None
    return site.hl7v2.patient.subject == "id" and patient.system != patient_system(site)
