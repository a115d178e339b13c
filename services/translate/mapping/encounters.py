"""Encounter: a visit, a stay, or logged work; and a death at its end."""

from __future__ import annotations

from domain.rejections import Reason
from services.translate.mapping.work import work
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import one_npi, participants, performer
from services.translate.reading import (
    Resource,
    first,
    items,
    meaning,
    obj,
    status_of,
    text,
    tokens,
    unmapped_status,
)
from services.translate.site import Site
from services.translate.times import day, start_and_end

BEGUN = frozenset({"in-progress", "onleave", "on-hold"})
ENDED = frozenset({"finished", "completed", "discharged"})
NOT_YET = frozenset({"planned", "arrived", "triaged"})
NEVER = frozenset({"cancelled", "discontinued"})
_DISPOSITION = "http://terminology.hl7.org/CodeSystem/discharge-disposition|exp"
LENGTH_SECONDS_MAX = 10**7
_UNITS = {"s": 1, "min": 60, "h": 3600}


def encounter(resource: Resource, site: Site) -> list[Draft]:
    """Drafts of a visit, a stay, work and a death, as far as the profile names its codes."""
    status = status_of(resource)
    if status in NOT_YET:
        raise Ignore("not-begun")
    if status in NEVER:
        raise Ignore("cancelled")
    if status not in BEGUN | ENDED:
        raise unmapped_status("status", status)
    kinds = tokens(resource.get("class")) + tokens(resource.get("type"))
    if not kinds:
        raise Review(Reason.UNMAPPED_CODE, "type", "expected a coded class or type; found none")
    ended = status in ENDED
    drafts = _stay(resource, site, kinds, ended)
    if ended:
        drafts += _visit(resource, site, kinds)
        drafts += _time(resource, site, kinds)
        drafts += _death(resource, site)
    elif not drafts:
        raise Ignore("not-finished")
    if not drafts:
        raise Ignore("encounter-not-mapped")
    return drafts


def _stay(resource: Resource, site: Site, kinds: list[str], ended: bool) -> list[Draft]:
    kind = meaning(site.stays.codes, "type", kinds)
    if kind is None:
        return []
    start, end, name = start_and_end(resource, "period", "actualPeriod")
    data = {"kind": kind, "admitted_on": day(start, f"{name}.start", site.timezone)}
    if ended:
        data["discharged_on"] = day(end, f"{name}.end", site.timezone)
    return [Draft("stay", "stay.recorded.v1", data)]


def _visit(resource: Resource, site: Site, kinds: list[str]) -> list[Draft]:
    hcpcs = meaning(site.visits.codes, "type", kinds)
    if hcpcs is None:
        return []
    start, _, name = start_and_end(resource, "period", "actualPeriod")
    said = [resource.get("type"), resource.get("reasonCode"), resource.get("serviceType")]
    said += [each.get("value") or each.get("use") for each in items(resource.get("reason"))]
    discussed = any(token in site.visits.discussed for value in said for token in tokens(value))
    npi = one_npi(resource, participants(resource), "participant", site)
    on = day(start, f"{name}.start", site.timezone)
    data = {"on": on, "hcpcs": hcpcs, "npi": npi, "ccm_discussed": discussed}
    return [Draft("visit", "visit.recorded.v1", data)]


def _time(resource: Resource, site: Site, kinds: list[str]) -> list[Draft]:
    activity = meaning(site.time.encounters, "type", kinds)
    if activity is None:
        return []
    start, end, name = start_and_end(resource, "period", "actualPeriod")
    who = performer(participants(resource), "participant", site)
    return work(resource, site, activity, who, start, end, name, _length(resource))


def _length(resource: Resource) -> int | None:
    """Seconds of `length`, time spent less time absent; None where it is not told."""
    length = obj(resource.get("length"))
    if not length:
        return None
    value, unit = length.get("value"), text(length.get("code")) or text(length.get("unit"))
    factor = _UNITS.get(unit, 0)
    if not isinstance(value, int | float) or not 0 < value * factor <= LENGTH_SECONDS_MAX:
        sentence = "expected a number of s, min or h; found something else"
        raise Review(Reason.INVALID_MEMBER, "length", sentence)
    return int(value * factor)


def _death(resource: Resource, site: Site) -> list[Draft]:
    stay = obj(first(resource, "hospitalization", "admission"))
    if not stay:
        return []
    if _DISPOSITION not in tokens(stay.get("dischargeDisposition")):
        return []
    _, end, name = start_and_end(resource, "period", "actualPeriod")
    data = {"died_on": day(end, f"{name}.end", site.timezone)}
    return [Draft("death", "patient.died.v1", data)]
