"""Condition, Procedure and Patient: what ails the patient, what was done, and whether they live."""

from __future__ import annotations

from typing import Any

from domain.rejections import Reason
from services.translate.mapping.lines import HCPCS_SYSTEMS
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import one_npi, patient_system
from services.translate.reading import (
    Resource,
    codes_of,
    first,
    items,
    local_reference,
    match,
    obj,
    status_of,
    text,
    tokens,
    unmapped_status,
)
from services.translate.site import Site
from services.translate.times import day

MERGED = "patient.merged.v1"
ICD10 = frozenset({"http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90"})
ACTIVE = frozenset({"active", "recurrence", "relapse"})
OVER = frozenset({"inactive", "remission", "resolved"})
UNSURE = frozenset({"unconfirmed", "provisional", "differential"})


def condition(resource: Resource, site: Site) -> list[Draft]:
    """A condition by ICD-10-CM code, chronic where a category of it attests that, and its end."""
    verified = _codes(resource.get("verificationStatus"))
    if verified & UNSURE:
        raise Ignore("not-confirmed")
    if "refuted" in verified:
        raise Ignore("refuted")
    clinical = _codes(resource.get("clinicalStatus"))
    if not clinical & (ACTIVE | OVER):
        if clinical:
            raise unmapped_status("clinicalStatus", min(clinical))
        if _codes(resource.get("category")) == {"encounter-diagnosis"}:
            raise Ignore("encounter-diagnosis")  # only a problem list must tell how it stands
        sentence = "expected a clinical status; it is missing"
        raise Review(Reason.MISSING_MEMBER, "clinicalStatus", sentence)
    code = _icd10(resource, site)
    chronic = not set(tokens(resource.get("category"))).isdisjoint(site.conditions.chronic)
    data: dict[str, Any] = {"code": code, "chronic": chronic, **_onset(resource, site)}
    drafts = [Draft("recorded", "condition.recorded.v1", data)]
    if clinical & OVER:
        over = {"code": code, "resolved_on": _abatement(resource, site)}
        drafts.append(Draft("resolved", "condition.resolved.v1", over))
    return drafts


def _codes(value: Any) -> set[str]:
    return {token.rpartition("|")[2] for token in tokens(value)}


def _icd10(resource: Resource, site: Site) -> str:
    concept = resource.get("code")
    found = codes_of(ICD10, concept)
    if len(found) > 1:
        sentence = "expected one ICD-10-CM code; found several"
        raise Review(Reason.AMBIGUOUS, "code", sentence)
    code = found[0] if found else match(site.conditions.icd10, "code", concept)
    if code is not None:
        return code
    if site.conditions.without_icd10 == "ignore":
        raise Ignore("condition-without-icd10")
    sentence = "expected an ICD-10-CM code, or one that the site profile gives an ICD-10-CM code"
    raise Review(Reason.UNMAPPED_CODE, "code", sentence)


def _onset(resource: Resource, site: Site) -> dict[str, str]:
    """Before 2010 counts as always: the contract's days begin there."""
    name, value = _dated(resource, "onset")
    try:
        return {"onset_on": day(value, name, site.timezone)} if name else {}
    except Ignore:
        return {}


def _abatement(resource: Resource, site: Site) -> str:
    name, value = _dated(resource, "abatement")
    if not name:
        sentence = "expected the day on which the condition ended; it is missing"
        raise Review(Reason.IMPRECISE_DATE, "abatementDateTime", sentence)
    return day(value, name, site.timezone)


def _dated(resource: Resource, what: str) -> tuple[str, Any]:
    """The date of an onset or abatement and the name of its member; '' where there is none.

    An age or a text names no day: such a member is read as a date, and goes to review as none.
    """
    for member in ("DateTime", "Period", "Age", "Range", "String"):
        value = resource.get(f"{what}{member}")
        if value is not None and member == "Period":
            end = "end" if what == "abatement" else "start"
            return f"{what}Period.{end}", obj(value).get(end)
        if value is not None and member != "DateTime":
            sentence = "expected a date; found an age, a range or a text"
            raise Review(Reason.IMPRECISE_DATE, f"{what}{member}", sentence)
        if value is not None:
            return f"{what}{member}", value
    return "", None


def procedure(resource: Resource, site: Site) -> list[Draft]:
    """A visit, where the profile names the procedure's code; or a service that rules know."""
    status = status_of(resource)
    concept = resource.get("code")
    visit = match(site.visits.codes, "code", concept)
    services = [c for c in codes_of(HCPCS_SYSTEMS, concept) if c in site.services.codes]
    if visit is None and not services:
        raise Ignore("procedure-not-mapped")
    if status in ("preparation", "in-progress", "on-hold"):
        raise Ignore("not-finished")
    if status in ("not-done", "stopped"):
        raise Ignore("cancelled")
    if status != "completed":
        raise unmapped_status("status", status)
    on = _performed_on(resource, site)
    people = [first(each, "actor") for each in items(resource.get("performer"))]
    npi = one_npi(resource, people, "performer", site)
    if visit is not None:
        data: dict[str, Any] = {"on": on, "hcpcs": visit, "npi": npi}
        return [Draft("visit", "visit.recorded.v1", data)]
    data = {"hcpcs": services[0], "from": on, "through": on, "npi": npi}
    return [Draft("service", "service.billed.v1", data)]


def _performed_on(resource: Resource, site: Site) -> str:
    for what in ("performed", "occurrence"):
        if (value := resource.get(f"{what}DateTime")) is not None:
            return day(value, f"{what}DateTime", site.timezone)
        if (period := resource.get(f"{what}Period")) is not None:
            return day(obj(period).get("start"), f"{what}Period.start", site.timezone)
    sentence = "expected the day on which it was done; it is missing"
    raise Review(Reason.IMPRECISE_DATE, "performedDateTime", sentence)


def patient(resource: Resource, site: Site) -> list[Draft]:
    """A death, that the record was replaced by another, and which ones it replaces."""
    drafts = [*_merged(resource, site), *_replaces(resource, site)]
    died = resource.get("deceasedDateTime")
    if died is not None:
        data = {"died_on": day(died, "deceasedDateTime", site.timezone)}
        return [*drafts, Draft("death", "patient.died.v1", data)]
    if resource.get("deceasedBoolean") is True:
        sentence = "expected the day of death; found only that the patient died"
        raise Review(Reason.IMPRECISE_DATE, "deceasedBoolean", sentence)
    if not drafts:
        raise Ignore("alive")
    return drafts


def _merged(resource: Resource, site: Site) -> list[Draft]:
    """That the record was replaced by another. The reference to it is put in the place of our id
    by whoever knows whom it means."""
    named = _linked(resource, "replaced-by", site)
    if len(named) > 1:
        raise Review(Reason.AMBIGUOUS, "link", "expected one record in its place; found several")
    return [Draft("merged", MERGED, {"into": name}) for name in named]


def _replaces(resource: Resource, site: Site) -> list[Draft]:
    """That others ended in this record: by the standard the one that says `replaces` is the one in
    use. Each is an event of the one that ended."""
    into, named = text(resource.get("id")), _linked(resource, "replaces", site)
    return [Draft(f"replaces-{name}", MERGED, {"into": into}, name) for name in named]


def _linked(resource: Resource, type: str, site: Site) -> list[str]:
    """The ids of the Patients that links of a type name. Raises `Review`."""
    links = [each for each in items(resource.get("link")) if each.get("type") == type]
    named = sorted({local_reference(each.get("other"), site.source) for each in links})
    if not all(each.startswith("Patient/") for each in named):
        sentence = "expected references to Patients of this server where a record was replaced"
        raise Review(Reason.PATIENT_MERGED, "link.other", sentence)
    return [each.removeprefix("Patient/") for each in named]


def patient_identity(resource: Resource, site: Site) -> tuple[str, list[Draft]]:
    """Our id of the patient and the link to it, by the identifier that the profile names."""
    wanted = site.patients.system
    found = {
        text(each.get("value"))
        for each in items(resource.get("identifier"))
        if each.get("system") == wanted and text(each.get("value"))
    }
    if len(found) != 1:
        reason = Reason.AMBIGUOUS if found else Reason.UNKNOWN_PATIENT
        count = "several" if found else "none"
        sentence = f"expected one identifier in the system of the site profile; found {count}"
        raise Review(reason, "identifier", sentence)
    data = {"system": patient_system(site), "value": text(resource.get("id"))}
    return found.pop(), [Draft("identity", "identity.linked.v1", data)]
