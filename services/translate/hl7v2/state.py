"""What is known of one thing (a visit, a problem, a charge): each statement with who said it last.

A message tells some of a thing and leaves out the rest. So each statement is kept by itself, with
the stamp of the newest message that made it, and an older message changes nothing that a newer one
said. The outcome is the same in whatever order messages come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain.rejections import Reason
from infra.codec import instant_text
from services.translate.hl7v2.segments import NULL
from services.translate.outcome import Review
from services.translate.revising import Said

YES, NO = "yes", "no"


class Stamp(NamedTuple):
    """Of a message: its MSH-7 as an instant, and its MSH-10."""

    recorded: str
    control: str
    order: tuple[int, str]
    """What a later message is greater in: time in microseconds, then the control number."""

    @classmethod
    def of(cls, recorded: str, at_us: int, control: str) -> Stamp:
        number = control.zfill(20) if control.isascii() and control.isdigit() else control
        return cls(recorded, control, (at_us, number))


def merged(
    known: Mapping[str, Said], told: Mapping[str, str], stamp: Stamp, by_now: bool
) -> dict[str, Said]:
    """What is known after a message; `by_now`: the profile has changed, and it is read anew.

    Raises `Review` where one stamp says two things.
    """
    at, control = stamp.order
    if not known:
        return {name: Said(at, control, value) for name, value in told.items()}
    found = dict(known)
    for name, value in told.items():
        said = found.get(name)
        if said is None or (said.at, said.control) < (at, control):
            found[name] = Said(at, control, value)
        elif (said.at, said.control) == (at, control) and said.value != value:
            if by_now:
                found[name] = Said(at, control, value)
                continue
            sentence = "expected another control id for other content; found the one that was taken"
            raise Review(Reason.CONFLICTING_DUPLICATE, "MSH-10", sentence)
    return found


class State:
    """The values of what is known, as text; '' for what is not, and for what was emptied."""

    __slots__ = ("_said",)

    def __init__(self, said: Mapping[str, Said]) -> None:
        self._said = said

    def __getitem__(self, name: str) -> str:
        said = self._said.get(name)
        return "" if said is None or said.value == NULL else said.value

    def is_yes(self, name: str) -> bool:
        return self[name] == YES


def newest(state: Mapping[str, Said], stamp: Stamp) -> str:
    """The instant by which the thing is as it is: that of its newest statement, as text."""
    latest = max((said.at for said in state.values()), default=0)
    return stamp.recorded if latest <= stamp.order[0] else instant_text(latest)
