"""EpisodeOfCare, Consent and CarePlan: what a patient's programme stands on."""

from __future__ import annotations

from typing import Any

from domain.rejections import Reason
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import npi_of, one_npi
from services.translate.reading import (
    Resource,
    first,
    items,
    match,
    obj,
    required,
    status_of,
    text,
    tokens,
    unmapped_status,
)
from services.translate.site import Site
from services.translate.times import day, start_and_end

_ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_POLICIES = {
    **dict.fromkeys((f"{_ACTS}|OPTIN", f"{_ACTS}|OPTINR"), "permit"),
    **dict.fromkeys((f"{_ACTS}|OPTOUT", f"{_ACTS}|OPTOUTE"), "deny"),
}


def episode(resource: Resource, site: Site) -> list[Draft]:
    """Enrolment, and its end, of an EpisodeOfCare whose type the profile names."""
    status = status_of(resource)
    if not set(tokens(resource.get("type"))) & set(site.enrolment.types):
        raise Ignore("episode-not-mapped")
    start, end, name = start_and_end(resource, "period")
    if status in ("planned", "waitlist") or (status == "cancelled" and start is None):
        raise Ignore("not-begun")
    if status not in ("active", "finished", "cancelled"):
        raise unmapped_status("status", status)
    effective_on = day(start, f"{name}.start", site.timezone)
    drafts = [Draft("enrolled", "patient.enrolled.v1", _enrolment(resource, site, effective_on))]
    if status != "active" or end is not None:
        last = day(end, f"{name}.end", site.timezone)
        data = {"effective_on": last, "reason": status}
        drafts.append(Draft("disenrolled", "patient.disenrolled.v1", data))
    return drafts


def _enrolment(resource: Resource, site: Site, effective_on: str) -> dict[str, Any]:
    npi = one_npi(resource, [resource.get("careManager")], "careManager", site)
    known = site.practitioner(npi)
    if known is None or known.credential is None:
        sentence = "expected a credential of this NPI under practitioners in the site profile"
        raise Review(Reason.UNKNOWN_PERSON, "careManager", sentence)
    terms = site.enrolment
    data: dict[str, Any] = {
        "effective_on": effective_on,
        "timezone": site.timezone,
        "billing_practitioner": {"npi": npi, "credential": known.credential},
        "provider_kind": terms.provider_kind,
        "setting": terms.setting,
    }
    return data | ({"locality": terms.locality} if terms.locality else {})


def consent(resource: Resource, site: Site) -> list[Draft]:
    """Consent and its revocation, of a Consent whose category or code the profile names."""
    status = status_of(resource)
    method = match(
        site.consents.codes, "category", resource.get("category"), resource.get("code")
    ) or match(site.consents.codes, "provision.code", *_provision_codes(resource))
    if method is None:
        raise Ignore("consent-not-mapped")
    if status in ("draft", "proposed", "rejected", "not-done"):
        raise Ignore("not-given")
    if status not in ("active", "inactive"):
        raise unmapped_status("status", status)
    given = day(required(resource, "dateTime", "date"), "dateTime", site.timezone)
    if _denies(resource):
        return [Draft("revoked", "consent.revoked.v1", {"revoked_on": given})]
    data = {"consented_on": given, "method": method, "npi": _to_whom(resource, site)}
    drafts = [Draft("consent", "consent.recorded.v1", data)]
    until = _until(resource)
    if status == "inactive":
        revoked = {"revoked_on": _revoked_on(resource, site)}
        drafts.append(Draft("revoked", "consent.revoked.v1", revoked))
    elif until is not None:
        over = {"revoked_on": day(until, "period.end", site.timezone)}
        drafts.append(Draft("revoked", "consent.revoked.v1", over))
    return drafts


def _until(resource: Resource) -> Any:
    """The end of what is permitted, where it has one: that of an exception ends nothing."""
    permitted = [each for each in _provisions(resource) if text(each.get("type")) == "permit"]
    whole = [resource] if text(resource.get("decision")) == "permit" else []
    ends = [start_and_end(each, "period")[1] for each in (*whole, *permitted)]
    return next((end for end in ends if end is not None), None)


def _provisions(resource: Resource) -> list[Resource]:
    return items(resource.get("provision"))


def _provision_codes(resource: Resource) -> list[Any]:
    return [each.get("code") for each in _provisions(resource)]


def _denies(resource: Resource) -> bool:
    """R4 says it in the provision and its base policy, R5 in `decision`. Raises `Review`."""
    said = {text(resource.get("decision")), text(first(resource, "type"))}
    said |= {text(each.get("type")) for each in _provisions(resource)}
    said |= {_POLICIES[found] for found in tokens(resource.get("policyRule")) if found in _POLICIES}
    if {"permit", "deny"} <= said:
        sentence = "expected a permission or a denial; found one with exceptions of the other kind"
        raise Review(Reason.AMBIGUOUS, "provision", sentence)
    return "deny" in said


def _to_whom(resource: Resource, site: Site) -> str:
    people: list[Any] = []
    for name in ("performer", "grantee", "manager", "controller"):
        people += items(resource.get(name))
    for provision in _provisions(resource):
        people += [obj(actor.get("reference")) for actor in items(provision.get("actor"))]
    named = [person for person in people if npi_of(resource, person, site)]
    if not named and site.consents.npi is not None:
        return site.consents.npi
    return one_npi(resource, named, "performer", site)


def _revoked_on(resource: Resource, site: Site) -> str:
    if site.consents.revoked_on == "last-updated":
        updated = obj(resource.get("meta")).get("lastUpdated")
        return day(updated, "meta.lastUpdated", site.timezone)
    ends = [start_and_end(each, "period")[1] for each in _provisions(resource)]
    ends = [start_and_end(resource, "period")[1], *ends]
    end = next((each for each in ends if each is not None), None)
    if end is None:
        sentence = "expected the day of the revocation; an inactive consent does not tell it"
        raise Review(Reason.IMPRECISE_DATE, "provision.period.end", sentence)
    return day(end, "provision.period.end", site.timezone)


def care_plan(resource: Resource, site: Site) -> list[Draft]:
    """A care plan, established, or revised where it says that it replaces another."""
    status = status_of(resource)
    if text(resource.get("intent")) in ("proposal", "option"):
        raise Ignore("not-a-plan-yet")
    if not set(tokens(resource.get("category"))) & set(site.care_plans.categories):
        raise Ignore("care-plan-not-mapped")
    if status == "draft":
        raise Ignore("not-a-plan-yet")
    if status not in ("active", "on-hold", "completed"):
        raise unmapped_status("status", status)
    start, _, name = start_and_end(resource, "period")
    field = f"{name}.start" if start is not None else "created"
    on = day(start if start is not None else required(resource, "created"), field, site.timezone)
    action = "revised" if items(resource.get("replaces")) else "established"
    data = {"action": action, "on": on, "document": f"CarePlan/{text(resource.get('id'))}"}
    return [Draft("plan", "care_plan.recorded.v1", data)]
