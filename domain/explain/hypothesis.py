"""The same history with a few more facts: folded and assessed like any other, so it is no guess.

The patient that is explained is never changed: its events are folded anew into another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.assess.assess import assess
from domain.assess.assessment import Assessment, Option
from domain.assess.context import MonthContext, month_context
from domain.assess.families import select
from domain.event import Event
from domain.explain.explanation import WhatIf
from domain.facts import CodeUnits, Fact, Month, TimeAmended, TimeLogged, TimeVoided
from domain.fees.payment import Payment
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules.book import RuleBook
from domain.rules.codes import Family

HYPOTHETICAL = "urn:caretally:what-if"
"""`source` of supposed events; they never leave this room."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What the month is worth if nothing blocked it: the option that the policy selects."""

    family: Family | None
    codes: tuple[CodeUnits, ...]
    payment: Payment | None


NOTHING = Worth(None, (), None)


class Hypotheses:
    """Asks what one month would be with other facts."""

    def __init__(self, patient: Patient, month: Month, book: RuleBook, policy: Policy) -> None:
        self._patient = patient
        self._book = book
        self.month = month
        self.policy = policy
        self._events = _bearing_on(patient, month)
        self._time = max((event.time for event in self._events), default=0)
        self.now = assess(patient, month, book, policy)

    def suppose(self, facts: Sequence[Fact]) -> Patient:
        """The patient with these facts said last."""
        supposed = Patient(self._patient.practice_id, self._patient.patient_id)
        for event in self._events:
            evolve(supposed, event)
        for number, fact in enumerate(facts, start=1):
            evolve(supposed, self._event(fact, number))
        return supposed

    def assess(self, facts: Sequence[Fact]) -> Assessment:
        """The month with these facts said last."""
        return assess(self.suppose(facts), self.month, self._book, self.policy)

    def context(self, facts: Sequence[Fact]) -> MonthContext:
        return month_context(self.suppose(facts), self.month, self._book, self.policy)

    def worth(self, answer: Assessment) -> Worth:
        """The selected option; where the month is blocked, the one that would be selected."""
        option = select(within_reach(answer), self.policy)
        return Worth(option.family, option.codes, option.payment) if option else NOTHING

    def unused_entry_id(self) -> str:
        name = "what-if"
        while self._patient.entries.get(name) is not None:
            name += "-"
        return name

    def _event(self, fact: Fact, number: int) -> Event:
        return Event(
            practice_id=self._patient.practice_id,
            patient_id=self._patient.patient_id,
            source=HYPOTHETICAL,
            id=str(number),
            time=self._time + number,
            fact=fact,
            digest=b"",
        )


def _bearing_on(patient: Patient, month: Month) -> list[Event]:
    """Events that can matter to the month: all but time entries that lie elsewhere."""
    entries = patient.entries.in_month(month)
    return [
        event
        for event in patient.events.values()
        if not isinstance(event.fact, TimeLogged | TimeAmended | TimeVoided)
        or event.fact.entry_id in entries
    ]


def within_reach(answer: Assessment) -> tuple[Option, ...]:
    """What is offered; where the month is blocked, what was earned all the same."""
    return answer.earned if answer.blockers else answer.options


def option_of(answer: Assessment, family: Family) -> Option | None:
    """The family's option, offered or, where the month is blocked, earned."""
    return next((o for o in within_reach(answer) if o.family is family), None)


def difference(
    before: Payment | None, had: bool, after: Payment | None, has: bool
) -> Decimal | None:
    """Dollars gained; None where a figure that is needed is missing."""
    if (had and before is None) or (has and after is None):
        return None
    gained = after.amount if after else Decimal(0)
    return gained - (before.amount if before else Decimal(0))


def change_of(before: Worth, after: Worth) -> Decimal | None:
    return difference(before.payment, bool(before.codes), after.payment, bool(after.codes))


def what_if(
    kind: str, sentence: str, after: Assessment, change: Decimal | None, **more: object
) -> WhatIf:
    """A change with the whole answer that it leads to. `more`: by, seconds, entry_ids, offered."""
    members = {"by": None, "seconds": None, "entry_ids": (), "offered": (), **more}
    return WhatIf(
        kind=kind,
        sentence=sentence,
        status=after.status.value,
        family=after.family,
        codes=after.codes,
        payment=after.payment,
        blockers=after.blockers,
        change=change,
        **members,  # type: ignore[arg-type]
    )
