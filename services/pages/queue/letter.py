"""One letter of the queue: what came beside why it was refused, and what was done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.facts import Month
from domain.patient import months_touched
from infra.codec import instant_text
from infra.eventstore.letters import open_letters
from projections.letters import ActKind, DeadLetter, LetterAct
from services.bootstrap import Parts
from services.histories import Unanswerable, history_of
from services.pages.place import Place, Refusal
from services.pages.queue.heaps import may_see, source_of
from services.pages.queue.original import Original, is_foreign, original_of
from services.views.letters import is_review, practice_of_letter
from services.wire.decode import Accepted, decode_message

MONTHS_MAX: Final = 3
SAID: Final = {
    ActKind.CORRECTED: "Corrected and taken",
    ActKind.REPLAYED: "Taken as it came",
    ActKind.SET_ASIDE: "Set aside",
    ActKind.TAKEN_UP: "Taken up again",
}


class Beside(NamedTuple):
    """A header or the key, as far as it is text."""

    name: str
    value: str
    marked: bool


class Done(NamedTuple):
    """An act, for people."""

    said: str
    by: str
    reason: str
    at: str
    text: str
    """What was taken in the original's place, empty where nothing was."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page shows of a letter."""

    letter: DeadLetter
    is_review: bool
    is_ours: bool
    source: str
    received_at: str
    original: Original
    beside: Sequence[Beside]
    acts: Sequence[Done]
    patient: str
    """Whose months it became part of; empty where it was not taken, or is not known here."""
    months: Sequence[Month]

    @property
    def state(self) -> str:
        """`waits`, `taken` or `set aside`."""
        if self.letter.replayed_at_us is not None:
            return "taken"
        return "set aside" if self.letter.set_aside_at_us is not None else "waits"


def letter_at(parts: Parts, place: Place, text: str) -> DeadLetter:
    """The letter of this number on the practice's pages. Raises Refusal."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    for letter in open_letters(parts.store).whole([number]):
        if may_see(place, practice_of_letter(letter, parts)):
            return letter
    raise Refusal(404, "No such letter", "There is no letter of this number in the queue.")


def sheet_of(parts: Parts, place: Place, letter: DeadLetter) -> Sheet:
    """The letter with what belongs to it."""
    acts = open_letters(parts.store).acts(letter.id)
    patient, months = _became(parts, place, letter, acts)
    return Sheet(
        letter=letter,
        is_review=is_review(letter),
        is_ours=practice_of_letter(letter, parts) == place.practice,
        source=source_of(letter.origin),
        received_at=instant_text(letter.received_at_us),
        original=original_of(letter),
        beside=list(_beside(letter)),
        acts=[_done(act) for act in acts],
        patient=patient,
        months=months,
    )


def _beside(letter: DeadLetter) -> list[Beside]:
    found = [] if letter.key is None else [Beside("key", _words(letter.key), False)]
    for name, value in letter.headers:
        bare = name.lower().removeprefix("ce_").removeprefix("ce-")
        marked = bool(letter.field) and letter.field in (bare, name)
        shown = name.encode("utf-8", "backslashreplace").decode()
        found.append(Beside(shown, _words(value), marked))
    return found


def _words(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _done(act: LetterAct) -> Done:
    text = _words(act.value).replace("\r", "\n") if act.value is not None else ""
    return Done(SAID[act.kind], act.by, act.reason, instant_text(act.at_us), text)


def _became(
    parts: Parts, place: Place, letter: DeadLetter, acts: Sequence[LetterAct]
) -> tuple[str, Sequence[Month]]:
    """Patient and months of an event of ours that was taken, where it is of this practice."""
    if letter.replayed_at_us is None or is_foreign(letter):
        return "", ()
    corrected = next((act.value for act in acts if act.value is not None), None)
    decoded = decode_message(*((corrected, ()) if corrected else (letter.value, letter.headers)))
    if not isinstance(decoded, Accepted) or decoded.event.practice_id != place.practice:
        return "", ()
    try:
        patient = history_of(parts.store, place.practice, decoded.event.patient_id).patient()
    except Unanswerable:
        return "", ()
    months = sorted(months_touched(patient, decoded.event))
    return decoded.event.patient_id, months[:MONTHS_MAX]
