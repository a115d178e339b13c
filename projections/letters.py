"""Input that was refused, and what people do about it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Bad input, kept whole: original bytes, key and headers, with the reason.

    `origin` names the door and place: `kafka:ehr.events.v1/3@17`, `file:NAME:12`, `http`.
    `replayed_at_us` says when it was put in again and taken; None: it still waits.
    """

    origin: str
    reason: str
    field: str
    sentence: str
    value: bytes | None
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    received_at_us: int
    id: int = 0
    replayed_at_us: int | None = None
    waits_for: str = ""
    """The key of what would mend it by itself (`projections.translated`), '' where nothing does."""
    set_aside_at_us: int | None = None
    """When a person decided to leave it as it is; taken up again, it has none."""

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.replayed_at_us is None and self.set_aside_at_us is None


class ActKind(StrEnum):
    """What a person did with a letter. Values are stored and never change."""

    CORRECTED = "corrected"
    """Other bytes were taken in its place."""
    REPLAYED = "replayed"
    """It was taken as it first came."""
    SET_ASIDE = "set-aside"
    """It waits no longer, and was not taken."""
    TAKEN_UP = "taken-up"
    """It was set aside, and waits again."""


@dataclass(frozen=True, slots=True)
class LetterAct:
    """What a person did with a letter, why and when; kept beside it for ever.

    `value` are the bytes that were taken in the place of the original's, None where none were.
    """

    letter_id: int
    kind: ActKind
    by: str
    reason: str
    at_us: int
    value: bytes | None = None


class LetterMoved(Exception):
    """A letter is not as an act expects it: somebody was faster. Nothing was written."""


class Waiting(NamedTuple):
    """A letter that waits, without what came in it."""

    id: int
    reason: str
    origin: str


class Letters(Protocol):
    """Letters as people work on them. Safe for several threads."""

    def waiting(self, after: int, limit: int) -> list[Waiting]:
        """Those that still wait with an id beyond `after`, ascending."""

    def whole(self, ids: Collection[int]) -> list[DeadLetter]:
        """These letters, as far as there are such, by id ascending."""

    def done(self, before: int, limit: int) -> list[DeadLetter]:
        """Those that were taken or set aside with an id below `before`, the newest first."""

    def acts(self, letter_id: int) -> list[LetterAct]:
        """What people did with it, oldest first."""


ENDS = (ActKind.CORRECTED, ActKind.REPLAYED)
"""What makes a letter one that was taken."""


def acted(letter: DeadLetter, act: LetterAct) -> DeadLetter:
    """The letter after the act. Raises LetterMoved where it cannot be done with it any more."""
    aside = letter.set_aside_at_us is not None
    wanted = {ActKind.SET_ASIDE: not aside, ActKind.TAKEN_UP: aside}
    if letter.replayed_at_us is not None or not wanted.get(act.kind, True):
        raise LetterMoved(f"letter {letter.id} cannot be {act.kind} any more")
    if act.kind in ENDS:
        return replace(letter, replayed_at_us=act.at_us)
    return replace(letter, set_aside_at_us=act.at_us if not aside else None)
