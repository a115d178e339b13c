"""History under other rules or another policy: what codes and dollars would have been.

Nothing is written. The same facts are assessed twice, and each month whose codes, dollars or
status would be other is told with the reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from domain.assess import Assessment, answer, reckon
from domain.explain.wording import codes
from domain.facts import Month
from domain.patient import Patient, months_known
from domain.policy import Policy
from domain.rules import RuleBook
from projections.ports import Store
from services.audit.difference import Worth, worth
from services.histories import histories

PolicyOf = Callable[[str], Policy]


@dataclass(frozen=True, slots=True)
class Terms:
    """What answers are given by."""

    book: RuleBook
    policy_of: PolicyOf


@dataclass(frozen=True, slots=True)
class Change:
    """A month that would come to something else, and why. `dollars` is what it would gain; None
    where a figure is missing for either side."""

    practice_id: str
    patient_id: str
    month: Month
    reasons: tuple[str, ...]
    before: Worth
    after: Worth
    dollars: Decimal | None


@dataclass(slots=True)
class Sum:
    """Months with their units by code and dollars, before and after. `unpriced` months have codes
    without a figure on one side or the other and are in no dollars."""

    months: int = 0
    claims_diverging: int = 0
    """Months whose standing claim is supported now and would not be."""
    units_before: Counter[str] = field(default_factory=Counter)
    units_after: Counter[str] = field(default_factory=Counter)
    dollars_before: Decimal = Decimal("0.00")
    dollars_after: Decimal = Decimal("0.00")
    unpriced: int = 0

    @property
    def dollars(self) -> Decimal:
        """What would be gained."""
        return self.dollars_after - self.dollars_before

    def add(self, before: Worth, after: Worth) -> None:
        self.months += 1
        self.claims_diverging += (before.status, after.status) == ("claimed", "diverged")
        for units, side in ((self.units_before, before), (self.units_after, after)):
            units.update({line.code: line.units for line in side.codes})
        one, other = amount(before), amount(after)
        if one is None or other is None:
            self.unpriced += 1
            return
        self.dollars_before += one
        self.dollars_after += other


class Supposition:
    """One question asked of a whole practice and year; run it, then read the sums."""

    def __init__(self, now: Terms, supposed: Terms) -> None:
        self._now = now
        self._supposed = supposed
        self.patients = 0
        self.all = Sum()
        """Every month of the year that was assessed."""
        self.groups: dict[tuple[str, ...], Sum] = {}
        """Months that would change, by their reasons."""

    def run(
        self,
        store: Store,
        year: int,
        practice: str | None = None,
        told: Callable[[], None] = lambda: None,
    ) -> Iterator[Change]:
        """Each month that would change, by practice, patient and month; `told` hears of each
        patient."""
        for history in histories(store, practice):
            self.patients += 1
            told()
            patient = history.patient()
            for month in sorted(months_known(patient)):
                if month[:4] == f"{year:04d}":
                    yield from self._month(patient, month)

    @property
    def changed(self) -> int:
        return sum(group.months for group in self.groups.values())

    def by_dollars(self) -> list[tuple[tuple[str, ...], Sum]]:
        """The groups, those that move the most dollars first."""
        return sorted(self.groups.items(), key=lambda item: (-abs(item[1].dollars), item[0]))

    def _month(self, patient: Patient, month: Month) -> Iterator[Change]:
        before, after = _answer(patient, month, self._now), _answer(patient, month, self._supposed)
        if before is None or after is None:
            return
        one, other = worth(before), worth(after)
        self.all.add(one, other)
        if (one.status, one.codes, amount(one)) == (other.status, other.codes, amount(other)):
            return
        found = reasons(before, after)
        self.groups.setdefault(found, Sum()).add(one, other)
        address = (before.practice_id, before.patient_id, month)
        yield Change(*address, found, one, other, _gain(one, other))


def _answer(patient: Patient, month: Month, terms: Terms) -> Assessment | None:
    """None where the month has no ground; that depends on facts alone."""
    reckoned = reckon(patient, month, terms.book, terms.policy_of(patient.practice_id))
    return answer(patient, reckoned, terms.book) if reckoned.has_ground else None


def amount(worth: Worth) -> Decimal | None:
    """Dollars of the codes: zero without any, None where a figure is missing."""
    if not worth.codes:
        return Decimal("0.00")
    return worth.payment.amount if worth.payment else None


def _gain(before: Worth, after: Worth) -> Decimal | None:
    one, other = amount(before), amount(after)
    return None if one is None or other is None else other - one


def reasons(before: Assessment, after: Assessment) -> tuple[str, ...]:
    """Why two answers on the same facts differ, from the ground up; the first ones explain those
    that follow from them, which are left out."""
    found = [*_blockers(before, after), *_time(before, after)]
    if not found:
        found = [*_families(before, after), *_selection(before, after)]
    return tuple(found or _worth(before, after))


def _blockers(before: Assessment, after: Assessment) -> Iterator[str]:
    one, other = set(before.blockers), set(after.blockers)
    yield from (f"blocked: {name}" for name in sorted(other - one))
    yield from (f"no longer blocked: {name}" for name in sorted(one - other))


def _time(before: Assessment, after: Assessment) -> Iterator[str]:
    one, other = _excluded(before), _excluded(after)
    for reason in sorted(one.keys() | other.keys()):
        if other[reason] > one[reason]:
            yield f"time not counted: {reason}"
        elif other[reason] < one[reason]:
            yield f"time counted again: {reason}"
    same = before.seconds.excluded == after.seconds.excluded
    if same and before.seconds.pooled != after.seconds.pooled:
        more = after.seconds.pooled > before.seconds.pooled
        yield f"practitioner time {'' if more else 'no longer '}pooled with staff time"


def _excluded(answer: Assessment) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in answer.excluded:
        found[part.reason] += part.seconds
    return found


def _families(before: Assessment, after: Assessment) -> Iterator[str]:
    one = {option.family: option for option in before.options}
    other = {option.family: option for option in after.options}
    yield from (f"no longer offered: {family}" for family in one if family not in other)
    yield from (f"offered: {family}" for family in other if family not in one)
    for family in one:
        if family in other and one[family].codes != other[family].codes:
            turned = f"{codes(one[family].codes)} -> {codes(other[family].codes)}"
            yield f"codes of {family}: {turned}"


def _selection(before: Assessment, after: Assessment) -> Iterator[str]:
    """Another pick where both could be picked under both."""
    one, other = ({option.family for option in answer.options} for answer in (before, after))
    if before.family != after.family and {before.family, after.family} <= one & other:
        yield f"selected: {after.family} instead of {before.family}"


def _worth(before: Assessment, after: Assessment) -> list[str]:
    """Equal codes: the claim compares with other options, or the figures are other ones."""
    if before.date_of_service != after.date_of_service:
        return ["date of service"]
    if before.payment != after.payment:
        return ["amount"]
    return ["status"]
