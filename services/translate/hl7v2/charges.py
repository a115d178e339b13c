"""DFT^P03: charges by FT1. What others billed, and, where the profile says so, logged work."""

from __future__ import annotations

from typing import Any

from domain.rejections import Reason
from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.people import entity, one_npi, people, performer, read_back, written
from services.translate.hl7v2.segments import Segment
from services.translate.hl7v2.state import YES, State
from services.translate.hl7v2.things import Thing, fit, named, tell
from services.translate.hl7v2.times import clock, day
from services.translate.mapping.lines import CARE_MANAGEMENT, KNOWN
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import Whose
from services.translate.reading import unmapped_status
from services.translate.revising import LOGGED
from services.translate.site import Site

HCPCS_SYSTEMS = frozenset({"C4", "C5", "CPT", "CPT4", "CPT-4", "HCPCS", "HCPT", "HPC"})
"""Names of HL7's table 0396, and what senders write for them."""
CHARGE, CREDITS, OTHERS = "CG", frozenset({"CR", "CD"}), frozenset({"AJ", "CO", "PY"})


def charges(message: Message, patient: Whose | Review, site: Site) -> list[Thing]:
    """Each transaction of a DFT message."""
    return [_charge(ft1, patient, site) for ft1 in message.all("FT1")]


def _charge(ft1: Segment, patient: Whose | Review, site: Site) -> Thing:
    assert site.hl7v2 is not None
    missing = Review(Reason.MISSING_MEMBER, "FT1-2", "expected the transaction's id; found none")
    name = named("Charge", lambda: entity(ft1, 2), missing)
    told: dict[str, str] = {}
    kind = ft1.get(6).upper()
    if kind in CREDITS:
        return Thing(name, patient, {"credited": YES, "code": _code(ft1)}, _drafts)
    tell(told, "kind", kind)
    tell(told, "code", _code(ft1))
    tell(told, "from", ft1.get(4))
    tell(told, "through", ft1.get(4, 2))
    tell(told, "quantity", ft1.get(10))
    tell(told, "performed", written(people(ft1, 20)))
    if (token := fit(site.hl7v2.charges.time, {"FT1": ft1})) is not None:
        told["time"] = token or "none"
    if kind == CHARGE:
        told["charged"] = YES
    return Thing(name, patient, told, _drafts)


def _code(ft1: Segment) -> str:
    """The HCPCS code: FT1-25, else FT1-7 where it says that it is one."""
    code, system = ft1.get(25), ft1.get(25, 3).upper()
    if code and (not system or system in HCPCS_SYSTEMS):
        return code
    return ft1.get(7) if ft1.get(7, 3).upper() in HCPCS_SYSTEMS else ""


def _drafts(state: State, site: Site, name: str) -> list[Draft]:
    assert site.hl7v2 is not None
    timed = site.hl7v2.charges.time.get(state["time"])
    counts = state["code"] in KNOWN | CARE_MANAGEMENT | set(site.services.codes)
    if state.is_yes("credited"):
        if state.is_yes("charged") or not counts:
            raise Ignore("credited")
        sentence = "expected a credit of a charge with its transaction id; found no such charge"
        raise Review(Reason.UNMAPPED_STATUS, "FT1-2", sentence)
    if timed is None and not counts:
        raise Ignore("no-line-of-ours")
    if state["kind"] in OTHERS:
        raise Ignore("not-a-charge")
    if state["kind"] != CHARGE:
        raise unmapped_status("FT1-6", state["kind"])
    if timed is not None:
        return _work(state, site, name)
    return _service(state, site)


def _service(state: State, site: Site) -> list[Draft]:
    """A charge of our own is no claim; one of others is a service."""
    npi = one_npi(read_back(state["performed"]), "FT1-20", site)
    if state["code"] in CARE_MANAGEMENT and site.practitioner(npi) is not None:
        raise Ignore("own-charge")
    first, last = _days(state, site)
    data = {"hcpcs": state["code"], "from": first, "through": last, "npi": npi}
    return [Draft("service", "service.billed.v1", data)]


def _days(state: State, site: Site) -> tuple[str, str]:
    if not state["from"]:
        raise Review(Reason.MISSING_MEMBER, "FT1-4", "expected the day of the service")
    first = day(state["from"], "FT1-4", site)
    last = day(state["through"], "FT1-4.2", site) if state["through"] else first
    if last < first:
        sentence = "expected an end that is not before the start; found an earlier one"
        raise Review(Reason.ENDS_BEFORE_START, "FT1-4.2", sentence)
    return first, last


def _work(state: State, site: Site, name: str) -> list[Draft]:
    """A time entry: units on a day, or the clock from start to end."""
    assert site.hl7v2 is not None
    meant = site.hl7v2.charges.time[state["time"]]
    data: dict[str, Any] = {
        "entry_id": name,
        "performer": performer(read_back(state["performed"]), "FT1-20", site),
        "activity": meant.activity,
        "program": meant.program,
    }
    if meant.unit_seconds is None:
        return [Draft("time", LOGGED, data | _clocked(state, site))]
    first, last = _days(state, site)
    if first != last:
        sentence = "expected one day for so many units of work; found several"
        raise Review(Reason.AMBIGUOUS, "FT1-4", sentence)
    quantity = state["quantity"]
    if not (quantity.isascii() and quantity.isdigit() and 0 < int(quantity[:9]) < 10**8):
        sentence = "expected a whole number of units; found something else"
        raise Review(Reason.INVALID_MEMBER, "FT1-10", sentence)
    seconds = int(quantity) * meant.unit_seconds
    return [Draft("time", LOGGED, data | {"performed_on": first, "seconds": seconds})]


def _clocked(state: State, site: Site) -> dict[str, Any]:
    if not state["through"]:
        sentence = "expected a start and an end with seconds; found no end"
        raise Review(Reason.IMPRECISE_DATE, "FT1-4", sentence)
    began = clock(state["from"], "FT1-4.1", site)
    ended = clock(state["through"], "FT1-4.2", site)
    if ended <= began:
        sentence = "expected an instant later than the start; found none"
        raise Review(Reason.ENDS_BEFORE_START, "FT1-4.2", sentence)
    return {"started_at": began.isoformat(), "ended_at": ended.isoformat()}
