"""Who is meant: patients, practitioners and staff, by reference or identifier, never by name."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qs

from domain.rejections import Reason
from services.translate.outcome import Review
from services.translate.reading import (
    NPI_SYSTEMS,
    PATIENT_MEMBERS,
    Resource,
    contained,
    first,
    identifier,
    items,
    local_reference,
    npis_in,
    obj,
    text,
    tokens,
    uuid_reference,
)
from services.translate.site import Site

PRIMARY = frozenset(
    f"http://terminology.hl7.org/CodeSystem/v3-ParticipationType|{code}"
    for code in ("PPRF", "ATND", "PRF")
)
_PEOPLE = ("Practitioner/", "PractitionerRole/")


class Whose(NamedTuple):
    """How a resource names its patient: an identifier in a system."""

    system: str
    value: str


def patient_system(site: Site) -> str:
    """The system of the logical ids of a site's patients."""
    return site.patient_system


def whose(resource: Resource, site: Site) -> Whose:
    """The patient that a resource is about. Raises `Review`."""
    if resource.get("resourceType") == "Patient":
        return Whose(patient_system(site), text(resource.get("id")))
    value = first(resource, *PATIENT_MEMBERS)
    found = local_reference(value, site.source) or uuid_reference(value)
    kind, _, name = found.rpartition("/")
    if name and kind in ("", "Patient"):
        return Whose(patient_system(site), name)
    named = identifier(value)
    if named is not None:
        return Whose(*named)
    sentence = "expected a reference to a patient of this server, or an identifier"
    raise Review(Reason.UNKNOWN_PATIENT, "subject", sentence)


def npi_of(resource: Resource, value: Any, site: Site) -> str:
    """The NPI behind a reference to a practitioner; '' where nothing says it."""
    named = identifier(value)
    if named is not None and named[0] in NPI_SYSTEMS:
        return named[1]
    inside = next(npis_in(contained(resource, value)), "")
    return inside or _npi_in_query(value) or _npi_in_profile(value, site)


def _npi_in_query(value: Any) -> str:
    """Of a conditional reference: `Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1…`."""
    kind, _, query = text(obj(value).get("reference")).partition("?")
    if kind != "Practitioner":
        return ""
    for found in parse_qs(query).get("identifier", []):
        system, _, name = found.rpartition("|")
        if system in NPI_SYSTEMS:
            return name
    return ""


def _npi_in_profile(value: Any, site: Site) -> str:
    found = local_reference(value, site.source) or text(obj(value).get("reference"))
    known = site.practitioner(found) if found else None
    return known.npi if known else ""


def one_npi(resource: Resource, values: list[Any], field: str, site: Site) -> str:
    """The one NPI among these references. Raises `Review` for none and for several."""
    found = sorted({npi for value in values if (npi := npi_of(resource, value, site))})
    if len(found) > 1:
        sentence = "expected one practitioner; found several"
        raise Review(Reason.AMBIGUOUS, field, sentence)
    if not found:
        sentence = "expected a practitioner whose NPI is here or in the site profile; found none"
        raise Review(Reason.UNKNOWN_PERSON, field, sentence)
    return found[0]


def participants(resource: Resource) -> list[Any]:
    """References of an Encounter's people: those who performed it, else all of them."""
    found = items(resource.get("participant"))
    primary = [each for each in found if not PRIMARY.isdisjoint(tokens(each.get("type")))]
    people = [first(each, "individual", "actor") for each in primary or found]
    return [each for each in people if each is not None and _may_be_person(each)]


def _may_be_person(value: Any) -> bool:
    reference = text(obj(value).get("reference"))
    plain = "?" not in reference and "#" not in reference and ":" not in reference
    return not reference or not plain or reference.startswith(_PEOPLE)


def performer(values: list[Any], field: str, site: Site) -> dict[str, Any]:
    """Who did the work, of these references. Raises `Review` for nobody and for several."""
    found: dict[str, dict[str, Any]] = {}
    for value in values:
        who = _who(text(obj(value).get("reference")), site)
        if who is not None:
            found[who["id"]] = who
    if len(found) > 1:
        raise Review(Reason.AMBIGUOUS, field, "expected one person who did the work; found several")
    if not found:
        raise _nobody(field)
    return next(iter(found.values()))


def worker(reference: str, field: str, site: Site) -> dict[str, Any]:
    """Who did the work, by the one reference there is. Raises `Review`."""
    found = _who(reference, site)
    if found is None:
        raise _nobody(field)
    return found


def _who(reference: str, site: Site) -> dict[str, Any] | None:
    if not reference:
        return None
    reference = local_reference(reference, site.source) or reference
    member = site.member_of_staff(reference)
    if member is not None:
        found: dict[str, Any] = {"id": member.id, "role": member.role}
        return found | {"outside_us": True} if member.outside_us else found
    if site.time.default_role is None:
        return None
    return {"id": reference, "role": site.time.default_role}


def _nobody(field: str) -> Review:
    sentence = "expected a person whom the site profile names under staff; found none"
    return Review(Reason.UNKNOWN_PERSON, field, sentence)
