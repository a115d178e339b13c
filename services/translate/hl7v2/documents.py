"""MDM: documents by TXA that are a care plan, or consent."""

from __future__ import annotations

from domain.rejections import Reason
from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.people import entity, one_npi, people, read_back, written
from services.translate.hl7v2.state import NO, YES, State
from services.translate.hl7v2.things import Thing, fit, named, tell
from services.translate.hl7v2.times import day
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import Whose
from services.translate.site import Site

NEW, EDITED, CANCELLED = "T02", "T08", "T11"
EVENTS = frozenset({NEW, EDITED, CANCELLED})
DONE = frozenset({"AU", "LA"})
"""TXA-17 of a document that somebody stands for: authenticated, legally authenticated."""
OPEN = frozenset({"DI", "DO", "IP", "IN", "PA"})
GONE = "CA"
"""TXA-19 of a document that was deleted."""


def documents(message: Message, patient: Whose | Review, site: Site) -> list[Thing]:
    """The document of an MDM message."""
    assert site.hl7v2 is not None
    txa = message.first("TXA")
    if txa is None:
        return []
    missing = Review(Reason.MISSING_MEMBER, "TXA-12", "expected the document's number; found none")
    name = named("Document", lambda: entity(txa, 12), missing)
    told = {"stands": NO if message.event[1] == CANCELLED or txa.get(19) == GONE else YES}
    tell(told, "on", txa.get(4))
    tell(told, "status", txa.get(17))
    tell(told, "signed", written(people(txa, 22) or people(txa, 9)))
    if (token := fit(site.hl7v2.documents, {"TXA": txa})) is not None:
        told["kind"] = token or "none"
    return [Thing(name, patient, told, _drafts)]


def _drafts(state: State, site: Site, name: str) -> list[Draft]:
    assert site.hl7v2 is not None
    kind = site.hl7v2.documents.get(state["kind"])
    if kind is None:
        raise Ignore("document-not-mapped")
    if state["stands"] == NO:
        raise Ignore("cancelled")
    if state["status"] in OPEN:
        raise Ignore("not-finished")
    if state["status"] not in DONE:
        sentence = "expected AU or LA; found none of them, and nobody stands for the document"
        raise Review(Reason.UNMAPPED_STATUS, "TXA-17", sentence)
    if not state["on"]:
        raise Review(Reason.MISSING_MEMBER, "TXA-4", "expected the document's date; it is missing")
    on = day(state["on"], "TXA-4", site)
    if kind.care_plan is not None:
        plan = {"action": kind.care_plan, "on": on, "document": name}
        return [Draft("plan", "care_plan.recorded.v1", plan)]
    npi = site.consents.npi or one_npi(read_back(state["signed"]), "TXA-22", site)
    data = {"consented_on": on, "method": kind.consent, "npi": npi}
    return [Draft("consent", "consent.recorded.v1", data)]
