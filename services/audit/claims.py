"""The worklist of claims: what is claimed and not supported, earned and not claimed, late."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from domain.assess import Assessment, assess
from domain.assess.assessment import Status
from domain.assess.context import MonthContext, month_context
from domain.event import Event
from domain.explain.remarks import late_after_claim
from domain.facts import CodeUnits, Month, MonthClaimed
from domain.patient import Patient
from domain.rules.codes import Family
from domain.time.calendar import last_day, local_date
from infra.codec import instant_text
from services.audit.amounts import Amount, amount_of, minus, service_day, supported_amount
from services.audit.divergence import Diverged, divergence
from services.audit.telling import Told, told
from services.bootstrap import Parts
from services.histories import History, history_of
from services.readings import as_known

SECOND_US: Final = 1_000_000
RETURN_DAYS: Final = 60
"""Days in which an overpayment that was identified is reported and returned (42 CFR 401.305)."""


class Kind(StrEnum):
    """What is to be done, the most urgent first."""

    DIVERGED = "diverged"
    """A claim stands that the facts do not support as it was claimed."""
    LATE = "late"
    """The claim is supported, and time was logged, amended or voided after it."""
    REOPENED = "reopened"
    """A claim was taken back, and no other stands although codes are earned."""
    UNCLAIMED = "unclaimed"
    """Codes are earned, the month is over, and it was never claimed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim that stands, its amount, and where it is in the log."""

    claim_id: str
    codes: tuple[CodeUnits, ...]
    submitted_on: date
    amount: Amount
    event: Told


@dataclass(frozen=True, slots=True)
class Supported:
    """What the facts support today, as the practice's policy selects it."""

    family: Family | None
    codes: tuple[CodeUnits, ...]
    date_of_service: date | None
    amount: Amount


@dataclass(frozen=True, slots=True)
class Item:
    """One patient-month to look at.

    `at_stake`: of a claim, what it is above what is supported (below zero: less than that); of a
    month without one, what could be claimed. `first_known` is when the standing claim was first
    not supported, `diverged_since` from when on without a break. `deadline` is the last day to
    return what was paid too much; None where nothing was.
    """

    practice_id: str
    patient_id: str
    month: Month
    kind: Kind
    claim: Claim | None
    supported: Supported
    at_stake: Amount
    first_known: str | None
    diverged_since: str | None
    deadline: date | None
    late: tuple[Told, ...]
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]


class _Row(msgspec.Struct, gc=False):
    practice_id: str
    patient_id: str
    month: str
    timezone: str
    status: str
    warnings: list[str]


_ROW = msgspec.json.Decoder(_Row)


def worklist(
    parts: Parts,
    practices: Iterable[str] | None = None,
    month: Month | None = None,
    as_of_us: int | None = None,
    kinds: Collection[Kind] = tuple(Kind),
) -> list[Item]:
    """Every month of these practices (None: of all) to look at, of these kinds, the most urgent
    first, as known now or at an instant."""
    items: list[Item] = []
    for practice in (None,) if practices is None else practices:
        found = _of_practice(parts, practice, month, as_of_us, kinds)
        items += (item for item in found if item.kind in kinds)
    return sorted(items, key=urgency)


def _of_practice(
    parts: Parts,
    practice: str | None,
    month: Month | None,
    as_of_us: int | None,
    kinds: Collection[Kind],
) -> Iterator[Item]:
    now = (parts.clock() if as_of_us is None else as_of_us) // SECOND_US
    if as_of_us is None:
        bodies = parts.store.assessments(practice, None, month)
    else:
        bodies = as_known(parts, as_of_us, practice, None, month)
    found = [row for row in map(_ROW.decode, bodies) if _may_be(row, now, kinds)]
    for address, rows in groupby(found, key=lambda row: (row.practice_id, row.patient_id)):
        history = history_of(parts.store, *address, as_of_us)
        yield from _items(parts, history, [row.month for row in rows])


def _may_be(row: _Row, now: int, kinds: Collection[Kind]) -> bool:
    """Whether the row may be of one of these kinds: enough to look closer."""
    if row.status == Status.BILLABLE:
        over = last_day(row.month) < local_date(now, row.timezone)
        return over and not {Kind.REOPENED, Kind.UNCLAIMED}.isdisjoint(kinds)
    late = row.status == Status.CLAIMED and "late-after-claim" in row.warnings
    return (late and Kind.LATE in kinds) or (
        row.status == Status.DIVERGED and Kind.DIVERGED in kinds
    )


class Urgency(NamedTuple):
    """An item's place in the worklist: what is to be done, by when, for whom."""

    kind: int
    by: date
    practice_id: str
    patient_id: str
    month: Month


def urgency(item: Item) -> Urgency:
    """The less, the more urgent."""
    order, by = list(Kind).index(item.kind), item.deadline or date.max
    return Urgency(order, by, item.practice_id, item.patient_id, item.month)


def _items(parts: Parts, history: History, months: Iterable[Month]) -> Iterator[Item]:
    patient = history.patient()
    policy = parts.settings.policy_of(history.practice_id)
    for month in months:
        answer = assess(patient, month, parts.book, policy)
        kind = _kind(patient, answer)
        if kind is not None:
            context = month_context(patient, month, parts.book, policy)
            since = divergence(history, month, parts.book, policy)
            yield _Month(parts, history, patient, context, answer, since).item(kind)


def _kind(patient: Patient, answer: Assessment) -> Kind | None:
    """Asked of the facts themselves: the read model may have been made by other rules."""
    if answer.status is Status.DIVERGED:
        return Kind.DIVERGED
    if answer.status is Status.CLAIMED:
        return Kind.LATE if "late-after-claim" in answer.warnings else None
    if answer.status is not Status.BILLABLE:
        return None
    ever = any(_claims(event, answer.month) for event in patient.ground)
    return Kind.REOPENED if ever else Kind.UNCLAIMED


def _claims(event: Event, month: Month) -> bool:
    return isinstance(event.fact, MonthClaimed) and event.fact.month == month


@dataclass(frozen=True, slots=True)
class _Month:
    """One month with what an item of it is made of."""

    parts: Parts
    history: History
    patient: Patient
    context: MonthContext
    answer: Assessment
    since: Diverged | None

    def item(self, kind: Kind) -> Item:
        answer, context, fees = self.answer, self.context, self.parts.book.fees
        said = told(self.history, context.timezone)
        claim = self._claim(said)
        supported = supported_amount(context, fees, answer)
        stake = minus(claim.amount, supported) if claim else supported
        late = late_after_claim(context, self.patient.entries.in_month(answer.month).values())
        return Item(
            practice_id=answer.practice_id,
            patient_id=answer.patient_id,
            month=answer.month,
            kind=kind,
            claim=claim,
            supported=Supported(answer.family, answer.codes, answer.date_of_service, supported),
            at_stake=stake,
            first_known=None if self.since is None else instant_text(self.since.first_us),
            diverged_since=None if self.since is None else instant_text(self.since.since_us),
            deadline=self._deadline(stake),
            late=tuple(said[event.key] for _, event in late),
            blockers=answer.blockers,
            warnings=answer.warnings,
        )

    def _claim(self, said: dict[tuple[str, str], Told]) -> Claim | None:
        event = self.context.chart.claims.get(self.answer.month)
        if event is None:
            return None
        fact = event.fact
        assert isinstance(fact, MonthClaimed)
        fees, on = self.parts.book.fees, service_day(self.answer)
        amount = amount_of(self.context, fees, fact.codes, on)
        return Claim(fact.claim_id, fact.codes, fact.submitted_on, amount, said[event.key])

    def _deadline(self, stake: Amount) -> date | None:
        overpaid = stake.dollars is None or stake.dollars > 0
        if self.since is None or not overpaid:
            return None
        known_on = local_date(self.since.first_us // SECOND_US, self.context.timezone)
        return known_on + timedelta(days=RETURN_DAYS)
