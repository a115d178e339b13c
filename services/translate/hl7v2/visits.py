"""ADT: visits and stays by PV1, deaths by PID. Registered, admitted, discharged, and taken back.

A08, A02 and their like are snapshots: they correct the days and the class of a visit, and never
say that it began or ended, for many systems repeat in them what was taken back since.
"""

from __future__ import annotations

from domain.rejections import Reason
from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.people import entity, one_npi, people, read_back, written
from services.translate.hl7v2.segments import Segment
from services.translate.hl7v2.state import NO, YES, State
from services.translate.hl7v2.things import Thing, fit, hidden, named, tell
from services.translate.hl7v2.times import day
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import Whose
from services.translate.site import Site

BEGINS = frozenset({"A01", "A04", "A06", "A07"})
ENDS = "A03"
SNAPSHOTS = frozenset({"A02", "A08"})
NOT_BEGUN, NOT_ENDED = "A11", "A13"
OF_A_VISIT = BEGINS | SNAPSHOTS | {ENDS, NOT_BEGUN, NOT_ENDED}
OF_A_PERSON = frozenset({"A28", "A31"})


def visit_and_death(message: Message, patient: Whose | Review, site: Site) -> list[Thing]:
    """What an ADT message tells of the visit, and of the patient's death."""
    found = []
    pv1, (_, event) = message.first("PV1"), message.event
    if pv1 is not None and event in OF_A_VISIT:
        missing = Review(Reason.MISSING_MEMBER, "PV1-19", "expected the visit's number; found none")
        name = named("Visit", lambda: entity(pv1, 19), missing)
        found.append(Thing(name, patient, _told(message, pv1, event, site), _visit))
    pid = message.first("PID")
    if pid is not None and (pid.get(29) or pid.get(30)) and event not in (NOT_BEGUN, NOT_ENDED):
        told: dict[str, str] = {}
        tell(told, "died", pid.get(29))
        tell(told, "dead", YES if pid.get(30) == "Y" else "")
        name = f"Death/{hidden(patient)}" if isinstance(patient, Whose) else patient
        found.append(Thing(name, patient, told, _death))
    return found


def _told(message: Message, pv1: Segment, event: str, site: Site) -> dict[str, str]:
    """The statements of one message about its visit."""
    told: dict[str, str] = {}
    if event == NOT_BEGUN:
        return {"begun": NO}
    if event == NOT_ENDED:
        return {"ended": NO}
    if event in BEGINS or event == ENDS:
        told["begun"] = YES
    if event == ENDS or (event in BEGINS and pv1.get(45)):
        told["ended"] = YES
    assert site.hl7v2 is not None
    segments = {name: found[-1] for name in ("PV1", "PV2") if (found := message.all(name))}
    for name, table in (("stay", site.hl7v2.stays.codes), ("visit", site.hl7v2.visits.codes)):
        token = fit(table, segments)
        if token is not None:
            told[name] = token or "none"
    evn = message.first("EVN")
    happened = evn.get(6) if evn is not None and event == ENDS else ""
    tell(told, "from", pv1.get(44))
    tell(told, "through", pv1.get(45) or happened)
    tell(told, "attending", written(people(pv1, 7)))
    tell(told, "disposition", pv1.get(36))
    return told


def _visit(state: State, site: Site, _: str) -> list[Draft]:
    """Drafts of a visit, a stay, and a death at its end, as far as the profile names its values."""
    assert site.hl7v2 is not None
    if not state.is_yes("begun"):
        raise Ignore("cancelled" if state["begun"] == NO else "not-begun")
    ended = state.is_yes("ended")
    drafts = _stay(state, site, ended)
    hcpcs = site.hl7v2.visits.codes.get(state["visit"])
    if hcpcs is not None and (ended or site.hl7v2.visits.on == "registration"):
        npi = one_npi(read_back(state["attending"]), "PV1-7", site)
        on = day(_needed(state["from"], "PV1-44"), "PV1-44", site)
        drafts.append(Draft("visit", "visit.recorded.v1", {"on": on, "hcpcs": hcpcs, "npi": npi}))
    if ended and state["disposition"] in site.hl7v2.expired:
        died_on = day(_needed(state["through"], "PV1-45"), "PV1-45", site)
        drafts.append(Draft("death", "patient.died.v1", {"died_on": died_on}))
    if not drafts:
        raise Ignore("not-finished" if hcpcs is not None else "encounter-not-mapped")
    return drafts


def _stay(state: State, site: Site, ended: bool) -> list[Draft]:
    assert site.hl7v2 is not None
    kind = site.hl7v2.stays.codes.get(state["stay"], "none")
    if kind == "none":
        return []
    data = {
        "kind": kind,
        "admitted_on": day(_needed(state["from"], "PV1-44"), "PV1-44", site),
    }
    if ended:
        through = day(_needed(state["through"], "PV1-45"), "PV1-45", site)
        if through < data["admitted_on"]:
            sentence = "expected a day not before the admission; found an earlier one"
            raise Review(Reason.ENDS_BEFORE_START, "PV1-45", sentence)
        data["discharged_on"] = through
    return [Draft("stay", "stay.recorded.v1", data)]


def _needed(raw: str, field: str) -> str:
    if not raw:
        raise Review(Reason.MISSING_MEMBER, field, "expected a date; it is missing")
    return raw


def _death(state: State, site: Site, _: str) -> list[Draft]:
    """PID-29; PID-30 alone says no day. `N` in PID-30 takes nothing back: many systems send it
    with every message, whatever others know. An emptied PID-29 does."""
    if state["died"]:
        return [Draft("death", "patient.died.v1", {"died_on": day(state["died"], "PID-29", site)})]
    if state.is_yes("dead"):
        sentence = "expected the day of death in PID-29; found only that the patient died"
        raise Review(Reason.IMPRECISE_DATE, "PID-30", sentence)
    raise Ignore("alive")
