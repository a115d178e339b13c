"""What a person does with a letter: correct it, put it in again, set it aside, take it up again.

A correction goes the one way that every message goes, in one transaction with the word of who did
it and why. The original stays as it came. Whatever is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from domain.rejections import Reason, Rejection
from projections.letters import ActKind, DeadLetter, LetterAct
from projections.ports import Batch
from services.bootstrap import Parts
from services.ingest import Ingest, Outcome
from services.pages.queue.original import bytes_of, headers_for, is_foreign, original_of
from services.releasing import delivery_of
from services.wire.decode import decode_message

Sees = Callable[[str], bool]
"""Whether a practice may be written to by whoever acts."""


class NotTaken(Exception):
    """What was to go in was refused: nothing was written."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.reason.value)
        self.rejection = rejection


@dataclass(frozen=True, slots=True)
class Hand:
    """Who acts, and why."""

    by: str
    reason: str
    sees: Sees


def correct(parts: Parts, ingest: Ingest, letter: DeadLetter, text: str, hand: Hand) -> Outcome:
    """Put a corrected text in, in the letter's place. A text that says what was shown is no
    correction: the original goes in again.

    Raises NotTaken, LetterMoved where the letter was taken meanwhile, Busy, and whatever an outage
    of the store raises: nothing was written then.
    """
    if _lines(text) == _lines(original_of(letter).text):
        return replay(parts, ingest, letter, hand)
    try:
        value = bytes_of(letter, text)
    except ValueError:
        sentence = "expected letters that the message's own encoding has; found others."
        raise NotTaken(Rejection(Reason.NOT_HL7, sentence)) from None
    delivery = replace(delivery_of(letter), value=value, headers=headers_for(letter))
    if not is_foreign(letter):
        decoded = decode_message(delivery.value, delivery.headers)
        if isinstance(decoded, Rejection):
            raise NotTaken(decoded)
        if not hand.sees(decoded.event.practice_id):
            sentence = "practiceid: expected a practice that you may see; found another."
            raise NotTaken(Rejection(Reason.INVALID_MEMBER, sentence, "practiceid"))
    act = _act(parts, letter, ActKind.CORRECTED, hand, value)
    return ingest.take([delivery], keep_dead_letters=False, judge=_all_taken, acts=[act])


def replay(parts: Parts, ingest: Ingest, letter: DeadLetter, hand: Hand) -> Outcome:
    """Put the letter in again as it first came. Refused again, one of a foreign form tells why
    now. Raises as `correct`."""
    act = _act(parts, letter, ActKind.REPLAYED, hand)
    outcome = ingest.take([delivery_of(letter)], acts=[act])
    for rejection in outcome.results:
        if rejection is not None:
            raise NotTaken(rejection)
    return outcome


def put_aside(parts: Parts, letter: DeadLetter, kind: ActKind, hand: Hand) -> None:
    """Set the letter aside, or take it up again. Raises LetterMoved, and whatever an outage of the
    store raises."""
    parts.store.commit(Batch(letter_acts=[_act(parts, letter, kind, hand)]))


def _act(
    parts: Parts, letter: DeadLetter, kind: ActKind, hand: Hand, value: bytes | None = None
) -> LetterAct:
    return LetterAct(letter.id, kind, hand.by, hand.reason, parts.clock(), value)


def _all_taken(results: Sequence[Rejection | None]) -> None:
    for rejection in results:
        if rejection is not None:
            raise NotTaken(rejection)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
