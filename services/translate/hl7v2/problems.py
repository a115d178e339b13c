"""PPR: problems of a list, by PRB. Added, updated, deleted."""

from __future__ import annotations

from typing import Any

from domain.rejections import Reason
from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.people import entity
from services.translate.hl7v2.segments import Segment
from services.translate.hl7v2.state import NO, YES, State
from services.translate.hl7v2.things import Thing, fit, named, tell
from services.translate.hl7v2.times import day
from services.translate.mapping.chart import ACTIVE, OVER, UNSURE
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import Whose
from services.translate.reading import unmapped_status
from services.translate.site import Site

ADD, UPDATE, DELETE = "PC1", "PC2", "PC3"
EVENTS = frozenset({ADD, UPDATE, DELETE})
_STANDS = frozenset({"AD", "CO", "UP", "LI", "UC", "UN", ""})
"""PRB-1 of a problem that stays; empty: the trigger event says it."""
_GOES = frozenset({"DE"})
WITHDRAWN = "entered-in-error"


def problems(message: Message, patient: Whose | Review, site: Site) -> list[Thing]:
    """Each problem of a PPR message."""
    return [_problem(prb, message.event[1], patient, site) for prb in message.all("PRB")]


def _problem(prb: Segment, event: str, patient: Whose | Review, site: Site) -> Thing:
    assert site.hl7v2 is not None
    missing = Review(Reason.MISSING_MEMBER, "PRB-4", "expected the problem's number; found none")
    name = named("Problem", lambda: entity(prb, 4), missing)
    told: dict[str, str] = {}
    tell(told, _word(prb.get(1), event), YES)
    if "stands" not in told and "deleted" in told:
        told = {"stands": NO}
    for key, field in (("ended", 9), ("confirmed", 13), ("status", 14), ("since", 15)):
        tell(told, key, prb.get(field))
    tell(told, "onset", prb.get(16))
    tell(told, "code", _coded(prb))
    for key, field in (("confirmed-as", 13), ("status-as", 14)):
        here = [t for t in site.hl7v2.conditions.statuses if t.startswith(f"PRB-{field}|")]
        if (token := fit(here, {"PRB": prb})) is not None:
            told[key] = token or "none"
    if (token := fit(site.hl7v2.conditions.chronic, {"PRB": prb})) is not None:
        told["chronic"] = YES if token else NO
    return Thing(name, patient, told, _condition)


def _word(action: str, event: str) -> str:
    """Which statement the action makes: an update of a problem that was deleted, or is deleted by
    a message that comes later, does not bring it back."""
    if action in _GOES or (event == DELETE and action == ""):
        return "deleted"
    if event == DELETE or action not in _STANDS:
        return f"unknown-action-{action[:20]}"
    return "stands" if event == ADD and action in ("AD", "") else "mentioned"


def _coded(prb: Segment) -> str:
    """The codes of PRB-3 as `system|code`, tab between them."""
    pairs = [(prb.get(3, 3), prb.get(3, 1)), (prb.get(3, 6), prb.get(3, 4))]
    return "\t".join(f"{system}|{code}" for system, code in pairs if code)


def _condition(state: State, site: Site, _: str) -> list[Draft]:
    stands = state["stands"]
    if stands == NO:
        raise Ignore("deleted")
    if not (state.is_yes("stands") or state.is_yes("mentioned")):
        sentence = "expected AD, UP, CO or DE, and DE alone with PC3; found another action"
        raise Review(Reason.UNMAPPED_STATUS, "PRB-1", sentence)
    over = _is_over(state, site)
    code = _icd10(state["code"], site)
    data: dict[str, Any] = {"code": code, "chronic": state.is_yes("chronic")}
    data |= _onset(state, site)
    drafts = [Draft("recorded", "condition.recorded.v1", data)]
    if over:
        resolved = {"code": code, "resolved_on": _ended(state, site)}
        drafts.append(Draft("resolved", "condition.resolved.v1", resolved))
    return drafts


def _is_over(state: State, site: Site) -> bool:
    """Whether the problem ended. Raises `Ignore` for one that is not confirmed."""
    assert site.hl7v2 is not None
    statuses = site.hl7v2.conditions.statuses
    meant = statuses.get(state["confirmed-as"])
    confirmed = state["confirmed"].lower()
    if meant == "not-confirmed" or (meant is None and confirmed in UNSURE):
        raise Ignore("not-confirmed")
    if confirmed in ("refuted", WITHDRAWN):
        raise Ignore(confirmed)
    if meant is None and confirmed not in ("", "confirmed"):
        raise unmapped_status("PRB-13", state["confirmed"])
    status = state["status"].lower()
    meant = statuses.get(state["status-as"])
    if meant == "not-confirmed":
        raise Ignore("not-confirmed")
    if meant is None and status and status not in ACTIVE | OVER:
        raise unmapped_status("PRB-14", state["status"])
    return meant == "over" or (meant is None and status in OVER) or bool(state["ended"])


def _icd10(coded: str, site: Site) -> str:
    assert site.hl7v2 is not None
    pairs = [pair.rpartition("|") for pair in coded.split("\t") if pair]
    wanted = {name.upper() for name in site.hl7v2.conditions.systems}
    found = list(dict.fromkeys(c for system, _, c in pairs if system.upper() in wanted))
    if not found:
        table = site.hl7v2.conditions.icd10
        found = list(dict.fromkeys(table[p] for p in coded.split("\t") if p in table))
    if len(found) > 1:
        raise Review(Reason.AMBIGUOUS, "PRB-3", "expected one ICD-10-CM code; found several")
    if found:
        return found[0]
    if site.conditions.without_icd10 == "ignore":
        raise Ignore("condition-without-icd10")
    sentence = "expected an ICD-10-CM code, or one that the site profile gives an ICD-10-CM code"
    raise Review(Reason.UNMAPPED_CODE, "PRB-3", sentence)


def _onset(state: State, site: Site) -> dict[str, str]:
    """Before 2010 counts as always: the contract's days begin there."""
    try:
        return {"onset_on": day(state["onset"], "PRB-16", site)} if state["onset"] else {}
    except Ignore:
        return {}


def _ended(state: State, site: Site) -> str:
    """PRB-9, else the day on which the status in PRB-14 was reached."""
    for raw, field in ((state["ended"], "PRB-9"), (state["since"], "PRB-15")):
        if raw:
            return day(raw, field, site)
    sentence = "expected the day on which the problem ended; it is missing"
    raise Review(Reason.IMPRECISE_DATE, "PRB-9", sentence)
