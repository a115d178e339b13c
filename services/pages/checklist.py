"""The month's requirements as a checklist: met, not met, or not to be known yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from domain.explain.catalogue import BLOCKERS, cite_in_force
from domain.explain.explanation import CitedRule, Condition, EventRef
from services.audit.telling import Told
from services.explain.hints import MISSING
from services.views.record import Known

State = Literal["met", "not met", "unknown"]

UNASKED = "Cannot be asked: no enrolment names a billing practitioner."


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement with what proves it, what falls short of it, and the rules behind it."""

    blocker: str
    """The identifier under which it blocks if it is not met."""
    state: State
    asks: str
    sentence: str
    evidence: tuple[Told, ...]
    falls_short: tuple[tuple[str, Told], ...]
    hints: tuple[tuple[str, Told], ...]
    """Diagnoses that code sets count as chronic; they decide nothing."""
    rules: tuple[CitedRule, ...]

    @property
    def key(self) -> str:
        return f"check {self.blocker}"

    @property
    def says(self) -> str:
        return f"{self.state}: {self.sentence}"


def checklist(known: Known) -> tuple[Check, ...]:
    """Every requirement there is, in the order in which they are asked."""
    asked = {each.blocker: each for each in known.explained.conditions}
    return tuple(
        _check(known, asked[blocker]) if blocker in asked else _unasked(known, blocker)
        for blocker in BLOCKERS
    )


def told_of(known: Known, refs: Iterable[EventRef]) -> tuple[Told, ...]:
    """These events in words."""
    return tuple(known.told[ref.source, ref.id] for ref in refs)


def _check(known: Known, found: Condition) -> Check:
    return Check(
        blocker=found.blocker,
        state="met" if found.met else "not met",
        asks=_asks(found.blocker),
        sentence=found.sentence,
        evidence=told_of(known, found.evidence),
        falls_short=tuple(_short(known, found)),
        hints=tuple(_hints(known)) if found.blocker == MISSING else (),
        rules=found.rules,
    )


def _short(known: Known, found: Condition) -> Iterator[tuple[str, Told]]:
    for short in found.falls_short:
        yield short.sentence, known.told[short.event.source, short.event.id]


def _hints(known: Known) -> Iterator[tuple[str, Told]]:
    for hint in known.explained.hints:
        yield hint.sentence, told_of(known, hint.evidence)[0]


def _unasked(known: Known, blocker: str) -> Check:
    rules = cite_in_force(BLOCKERS[blocker].rule_ids, known.answer.month)
    return Check(blocker, "unknown", _asks(blocker), UNASKED, (), (), (), rules)


def _asks(blocker: str) -> str:
    said = BLOCKERS[blocker].sentence
    return said[0].upper() + said[1:]
