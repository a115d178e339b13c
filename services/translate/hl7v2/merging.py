"""ADT^A40: two records turn out to be one patient's. MRG names the one that ends, PID who stays."""

from __future__ import annotations

from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.people import whose
from services.translate.hl7v2.segments import Segment
from services.translate.hl7v2.state import State
from services.translate.hl7v2.things import Thing, hidden, or_review
from services.translate.outcome import Draft, Review
from services.translate.people import Whose
from services.translate.site import Site

EVENT = "A40"
TYPE = "patient.merged.v1"


def merges(message: Message, site: Site) -> list[Thing]:
    """Each pair of a PID and the MRG after it."""
    found: list[Thing] = []
    pid: Segment | None = None
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG" and pid is not None:
            found.append(_merge(pid, segment, site))
    return found


def _merge(pid: Segment, mrg: Segment, site: Site) -> Thing:
    stays = or_review(lambda: whose(pid, 3, site))
    ends = or_review(lambda: whose(mrg, 1, site))
    if isinstance(stays, Review) or isinstance(ends, Review):
        missing = next(each for each in (ends, stays) if isinstance(each, Review))
        return Thing(missing, missing, {}, _merged)
    told = {"into": "\n".join(stays)}
    return Thing(f"Merge/{hidden(ends)}", ends, told, _merged, stays)


def _merged(_state: State, _site: Site, _name: str) -> list[Draft]:
    """`into` is put in by whoever knows which patient of ours it is."""
    return [Draft("merged", TYPE, {})]


def into_of(state: State) -> Whose:
    """The patient who stays, as the newest message has it."""
    return Whose(*state["into"].split("\n", 1))
