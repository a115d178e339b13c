"""One message to the things that it tells of: which event goes where."""

from __future__ import annotations

from typing import Final

from domain.rejections import Reason
from services.translate.hl7v2 import charges, documents, merging, problems, visits
from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.people import whose
from services.translate.hl7v2.things import Thing, or_review
from services.translate.outcome import NotOurs, Review
from services.translate.people import Whose
from services.translate.site import Site

OF_WHOM: Final = frozenset(
    f"A{number}" for number in (18, 24, 30, 34, 35, 36, 37, 39, *range(41, 52))
)
"""Events that say anew which records, accounts or visits are whose, other than A40. No event of
ours says what they mean: a person must look."""

FINANCIAL: Final = frozenset({"P03", "P11"})


def things_of(message: Message, site: Site) -> list[Thing]:
    """What a message tells. Raises `NotOurs` and `Review`."""
    kind, event = message.event
    if kind == "ADT":
        return _adt(message, event, site)
    if kind == "PPR" and event in problems.EVENTS:
        return problems.problems(message, _patient(message, site), site)
    if kind == "DFT" and event in FINANCIAL:
        return charges.charges(message, _patient(message, site), site)
    if kind == "MDM" and event in documents.EVENTS:
        return documents.documents(message, _patient(message, site), site)
    raise NotOurs("kind-not-mapped")


def _adt(message: Message, event: str, site: Site) -> list[Thing]:
    if event == merging.EVENT:
        return merging.merges(message, site)
    if event in visits.OF_A_VISIT | visits.OF_A_PERSON:
        return visits.visit_and_death(message, _patient(message, site), site)
    if event in OF_WHOM:
        sentence = f"no event says what ADT^{event} means for the records; a person must look"
        raise Review(Reason.UNMAPPED_STATUS, "MSH-9", sentence)
    raise NotOurs("kind-not-mapped")


def _patient(message: Message, site: Site) -> Whose | Review:
    pid = message.first("PID")
    if pid is None:
        sentence = "expected a segment that names the patient; found none"
        return Review(Reason.UNKNOWN_PATIENT, "PID", sentence)
    return or_review(lambda: whose(pid, 3, site))
