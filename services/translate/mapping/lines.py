"""Claim, ExplanationOfBenefit and ChargeItem: what was billed, by whom.

Lines are kept where the rules of care management know their code, or the profile names it. Care
management billed by our own practitioners is a claimed month; what others billed is a service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.rejections import Reason
from domain.rules.services import SERVICE_RULES
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import npi_of
from services.translate.reading import (
    Resource,
    codes_of,
    first,
    items,
    obj,
    required,
    status_of,
    text,
    unmapped_status,
)
from services.translate.site import Site
from services.translate.times import day

HCPCS_SYSTEMS = frozenset(
    {
        "http://www.ama-assn.org/go/cpt",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
        "http://terminology.hl7.org/CodeSystem/HCPCS",
        "urn:oid:2.16.840.1.113883.6.12",
        "urn:oid:2.16.840.1.113883.6.285",
    }
)
KNOWN = frozenset(code for rule in SERVICE_RULES for code in rule.codes)
CARE_MANAGEMENT = frozenset(
    {"99490", "99439", "G2058", "99491", "99437", "99487", "99489", "G0511"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One billed line: code, units, both days, and who billed it ('' where nothing says)."""

    number: int
    code: str
    units: int
    first: str
    last: str
    npi: str


def claim(resource: Resource, site: Site) -> list[Draft]:
    """Services, and months that our own practitioners claimed."""
    _check(resource)
    lines = list(_lines(resource, site))
    ours = [each for each in lines if _is_ours(each, site)]
    drafts = [_service(each) for each in lines if each not in ours]
    return [*_months(resource, ours, site), *drafts]


def benefit(resource: Resource, site: Site) -> list[Draft]:
    """Services of an ExplanationOfBenefit. Our own claims are taken from Claim."""
    _check(resource)
    lines = [each for each in _lines(resource, site) if not _is_ours(each, site)]
    if not lines:
        raise Ignore("no-line-of-ours")
    return [_service(each) for each in lines]


def charge(resource: Resource, site: Site) -> list[Draft]:
    """A service, once the item is billed; a charge alone is no claim."""
    status = status_of(resource)
    code = _code(resource.get("code"), site)
    if status in ("planned", "billable", "not-billable", "aborted"):
        raise Ignore("not-billed")
    if status != "billed":
        raise unmapped_status("status", status)
    people = [first(each, "actor") for each in items(resource.get("performer"))]
    npis = {npi for person in people if (npi := npi_of(resource, person, site))}
    start, end = _days(resource, "occurrence", site)
    line = Line(1, code, 1, start, end, npis.pop() if len(npis) == 1 else "")
    if _is_ours(line, site):
        raise Ignore("own-charge")
    return [_service(line)]


def _check(resource: Resource) -> None:
    status = status_of(resource)
    if text(resource.get("use")) in ("preauthorization", "predetermination"):
        raise Ignore("not-a-claim")
    if status == "draft":
        raise Ignore("not-a-claim")
    if status == "cancelled":
        raise Ignore("cancelled")
    if status != "active":
        raise unmapped_status("status", status)


def _code(concept: Any, site: Site) -> str:
    wanted = KNOWN | CARE_MANAGEMENT | set(site.services.codes)
    found = [code for code in codes_of(HCPCS_SYSTEMS, concept) if code in wanted]
    if not found:
        raise Ignore("no-line-of-ours")
    if len(found) > 1:
        raise Review(Reason.AMBIGUOUS, "code", "expected one code of a line; found several")
    return found[0]


def _lines(resource: Resource, site: Site) -> Iterator[Line]:
    """The lines that count. Raises `Ignore` where there is none."""
    found = 0
    for number, item in enumerate(items(resource.get("item")), start=1):
        try:
            code = _code(first(item, "productOrService", "service"), site)
        except Ignore:
            continue
        found += 1
        start, end = _serviced(resource, item, site)
        units = obj(item.get("quantity")).get("value", 1)
        whole = int(units) if isinstance(units, int | float) and units == units // 1 else 0
        yield Line(number, code, whole, start, end, _billed_by(resource, item, site))
    if not found:
        raise Ignore("no-line-of-ours")


def _serviced(resource: Resource, item: Resource, site: Site) -> tuple[str, str]:
    if item.get("servicedDate") is not None or item.get("servicedPeriod") is not None:
        return _days(item, "serviced", site)
    period = obj(resource.get("billablePeriod"))
    start, end = period.get("start"), period.get("end")
    zone = site.timezone
    return day(start, "billablePeriod.start", zone), day(end, "billablePeriod.end", zone)


def _days(resource: Resource, what: str, site: Site) -> tuple[str, str]:
    for name in (f"{what}Date", f"{what}DateTime"):
        if (value := resource.get(name)) is not None:
            on = day(value, name, site.timezone)
            return on, on
    period = obj(required(resource, f"{what}Period"))
    start = day(period.get("start"), f"{what}Period.start", site.timezone)
    return start, day(period.get("end"), f"{what}Period.end", site.timezone)


def _billed_by(resource: Resource, item: Resource, site: Site) -> str:
    """The line's own care team first, then the claim's provider."""
    wanted = item.get("careTeamSequence")
    wanted = wanted if isinstance(wanted, list) else []
    for member in items(resource.get("careTeam")):
        if member.get("sequence") in wanted:
            npi = npi_of(resource, member.get("provider"), site)
            if npi:
                return npi
    return npi_of(resource, resource.get("provider"), site)


def _is_ours(line: Line, site: Site) -> bool:
    return line.code in CARE_MANAGEMENT and site.practitioner(line.npi) is not None


def _service(line: Line) -> Draft:
    if not line.npi:
        sentence = "expected who billed, with an NPI here or in the site profile; found nobody"
        raise Review(Reason.UNKNOWN_PERSON, "provider", sentence)
    data = {"hcpcs": line.code, "from": line.first, "through": line.last, "npi": line.npi}
    return Draft(f"service-{line.number}", "service.billed.v1", data)


def _months(resource: Resource, lines: list[Line], site: Site) -> Iterator[Draft]:
    """One claimed month for all lines of a calendar month."""
    months: dict[str, dict[str, int]] = {}
    for line in lines:
        units = months.setdefault(line.first[:7], {})
        units[line.code] = units.get(line.code, 0) + line.units
    for month, units in sorted(months.items()):
        data = {
            "month": month,
            "codes": [{"code": code, "units": n} for code, n in sorted(units.items())],
            "claim_id": f"Claim/{text(resource.get('id'))}",
            "submitted_on": day(required(resource, "created"), "created", site.timezone),
        }
        yield Draft(f"month-{month}", "month.claimed.v1", data)
