"""What a form that was sent is answered with: stored, or shown again with what is to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from projections.ports import ReadModelsMoved
from services.bootstrap import Parts
from services.ingest import Busy, Ingest
from services.pages.enter.entering import Asks, Outdated, SavedBefore, Wish, Wrong, enter
from services.pages.enter.fields import Blank
from services.pages.enter.foreseeing import Caution
from services.pages.enter.reading import worded
from services.pages.place import Refusal
from services.pages.saying import NotTaken

CHANGED: Final = "It says something else than it did on this form: begin again from the entry."
SAVED: Final = (
    "This form was saved before, with other content, and that stands. "
    "Save it again to enter this beside it."
)
NOT_OURS: Final = "The form was not one of ours. What was put in is kept: save it again."


@dataclass(frozen=True, slots=True)
class Shown:
    """A form as it is shown: what is in it, what is wrong by field, what to know first."""

    blank: Blank
    texts: Mapping[str, str]
    act: str = field(default_factory=lambda: uuid4().hex)
    revision: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    cautions: Sequence[Caution] = ()
    seen: str = ""
    notice: str = ""


class Again(NamedTuple):
    """The form once more, with the status to answer with."""

    status: int
    shown: Shown


def act_id(text: str) -> UUID | None:
    """The form's own number; None where it is none."""
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def attempt(parts: Parts, ingest: Ingest, wish: Wish, shown: Shown) -> tuple[str, ...] | Again:
    """Store it, or say what is in the way beside what was put in.

    Raises Refusal where nothing can be stored now, Unanswerable for an unknown patient.
    """
    try:
        return enter(parts, ingest, wish)
    except Asks as asks:
        return Again(200, replace(shown, cautions=asks.cautions, seen=asks.mark))
    except Outdated:
        return Again(409, replace(shown, notice=CHANGED))
    except SavedBefore:
        return Again(409, replace(shown, notice=SAVED, act=uuid4().hex))
    except Wrong as wrong:
        faults = [fault for found in wrong.faults.values() for fault in found]
        return Again(422, replace(shown, problems=worded(shown.blank, faults, {})))
    except Busy as busy:
        raise Refusal(503, "Try again", f"Nothing was saved: {busy}.") from busy
    except ReadModelsMoved as moved:
        detail = "Nothing was saved: this process goes by rules of before, and starts again."
        raise Refusal(503, "Try again", detail) from moved
    except NotTaken as refusal:
        raise Refusal(422, "The log refused it", f"Nothing was saved: {refusal}") from refusal
