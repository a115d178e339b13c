"""The ladder of codes and the options: seconds, codes, dollars, and why the policy picks one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from domain.explain.explanation import CitedRule, Ladder, Obstacle, OptionAccount, Step
from domain.explain.wording import codes
from domain.facts import CodeUnits
from domain.policy import Policy
from services.audit.amounts import Amount, amount_of, service_day
from services.pages.words import minutes, paid
from services.views.record import Known

POOLS: Final[Mapping[str, str]] = {
    "pooled": "staff time",
    "practitioner": "the practitioner's own time",
    "everyone": "everybody's time",
}

PICKS: Final[Mapping[str, str]] = {
    "most-specific": "the first in the order rhc, complex, practitioner, non-complex",
    "highest-payment": "the one that pays most, the earlier where two pay the same",
    "staff-first": "non-complex where it is offered, else the first",
}
"""How each selection policy chooses among the options."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One unit of a code: where its threshold lies, and whether the pool has come to it."""

    family: str
    code: str
    unit: int
    threshold_seconds: int
    reached_on: date | None
    reached_by: str | None
    seconds_to_go: int
    share: int
    """How much of the threshold the pool has, in per cent, at most 100."""
    amount: Amount
    """What this unit is paid by itself."""
    rule: CitedRule

    @property
    def key(self) -> str:
        return f"rung {self.family} {self.code} {self.unit}"

    @property
    def says(self) -> str:
        if self.reached_on is not None:
            return f"reached on {self.reached_on} with entry {self.reached_by}"
        return f"{minutes(self.seconds_to_go)} to go"


@dataclass(frozen=True, slots=True)
class Family:
    """One family of codes: `pool` says whose time it counts, None where the month does not know
    the family."""

    name: str
    offered: bool
    pool: str | None
    seconds: int
    rungs: tuple[Rung, ...]
    obstacles: tuple[Obstacle, ...]
    rules: tuple[CitedRule, ...]

    @property
    def key(self) -> str:
        return f"family {self.name}"

    @property
    def says(self) -> str:
        if self.offered:
            return f"offered, {minutes(self.seconds)}"
        return f"not offered, {minutes(self.seconds)}: " + ", ".join(
            obstacle.identifier for obstacle in self.obstacles
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One option in dollars; `place` says whether it is picked, legal too, or blocked."""

    account: OptionAccount
    place: str

    @property
    def key(self) -> str:
        return f"option {self.account.family.value}"

    @property
    def says(self) -> str:
        found = self.account
        return f"{self.place}: {codes(found.codes)}, {paid(found.payment)}, {found.date_of_service}"


def families(known: Known) -> tuple[Family, ...]:
    """In the order of options: first those that the month knows."""
    found = [_family(known, ladder) for ladder in known.explained.ladders]
    return tuple(sorted(found, key=lambda family: family.pool is None))


def choices(known: Known) -> tuple[Choice, ...]:
    """Legal options first, then what could be billed if nothing blocked."""
    return tuple(Choice(option, _place(option)) for option in known.explained.options)


def why_picked(policy: Policy) -> str:
    """The practice's selection policy in words."""
    return f"Policy {policy.selection}: {PICKS[policy.selection]}."


def _family(known: Known, ladder: Ladder) -> Family:
    return Family(
        name=ladder.family.value,
        offered=ladder.offered,
        pool=POOLS[ladder.pool] if ladder.pool else None,
        seconds=ladder.seconds,
        rungs=tuple(_rung(known, ladder, step) for step in ladder.steps),
        obstacles=ladder.obstacles,
        rules=ladder.rules,
    )


def _rung(known: Known, ladder: Ladder, step: Step) -> Rung:
    on, one = step.reached_on or service_day(known.answer), (CodeUnits(step.code, 1),)
    return Rung(
        family=ladder.family.value,
        code=step.code,
        unit=step.unit,
        threshold_seconds=step.threshold_seconds,
        reached_on=step.reached_on,
        reached_by=step.reached_by,
        seconds_to_go=step.seconds_to_go,
        share=min(100, ladder.seconds * 100 // step.threshold_seconds),
        amount=amount_of(known.context, known.book.fees, one, on),
        rule=step.rule,
    )


def _place(option: OptionAccount) -> str:
    if option.selected:
        return "picked"
    return "could be billed as well" if option.legal else "only if nothing blocked"
