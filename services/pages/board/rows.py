"""One patient's row of a board, from its folded history and where its alerts stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from domain.alerts import AlertType
from domain.assess import answer
from domain.assess.assessment import Family
from domain.assess.families import pool_of, select
from domain.assess.prospects import Rung, ladders_ahead, thresholds
from domain.assess.reckoning import Reckoning, reckon
from domain.facts import Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from domain.rules.codes import Pool
from domain.time.calendar import first_day, last_day
from projections.board import CodeUnit, Row, path_of
from projections.forecast import Ahead, Course, Experience, Outlook, course, outlook
from projections.ports import AlertState
from services.programme import programme_months

BAR_SECONDS: Final = 90 * 60
"""How far the bars reach; minutes beyond are told in figures."""

Pools = Mapping[Pool, Experience]


class Case(NamedTuple):
    """A row with what its outlook is worked out from."""

    row: Row
    pool: Pool
    before: int
    since: int

    def foretold(self, experience: Pools) -> Row:
        """The row with its outlook."""
        path = self.row.path
        if not path or self.pool not in experience:
            return self.row
        ahead = [Ahead(rung.seconds_to_go, rung.gain or Decimal(0)) for rung in path]
        return replace(
            self.row, outlook=outlook(experience[self.pool], self.before, self.since, ahead)
        )


class Rows:
    """Makes the rows of one month as they stand on one day, by one practice's policy."""

    def __init__(self, month: Month, today: date, now: int, book: RuleBook, policy: Policy) -> None:
        self.month, self.today = month, today
        self._now, self._book, self._policy = now, book, policy

    def case(self, patient: Patient, alerts: Iterable[AlertState]) -> Case | None:
        """The patient's row; None where the month is neither in the programme nor has anything
        been logged or claimed in it."""
        reckoning = reckon(patient, self.month, self._book, self._policy)
        if not reckoning.has_ground and self.month not in programme_months(patient, self._now):
            return None
        ladders = ladders_ahead(reckoning, self._book, self.today)
        path = path_of(ladders)
        pool: Pool = "pooled"
        if path and path[0].family is Family.PRACTITIONER:
            pool = "practitioner"
        days = pool_of(reckoning.tally, pool, self._policy)
        before = sum(seconds for day, seconds in days.items() if day < self.today)
        lost = tuple(sorted(_lost(alerts, self.month)))
        return Case(self._row(patient, reckoning, ladders, lost), pool, before, days.total - before)

    def _row(
        self,
        patient: Patient,
        reckoning: Reckoning,
        ladders: tuple[tuple[Rung, ...], ...],
        lost: tuple[CodeUnit, ...],
    ) -> Row:
        found = answer(patient, reckoning, self._book)
        held = select(found.earned, self._policy) if not found.options else None
        return Row(
            patient_id=patient.patient_id,
            month=self.month,
            status=found.status.value,
            logged=found.seconds.logged,
            staff=found.seconds.clinical_staff,
            own=found.seconds.practitioner,
            pooled=found.seconds.pooled,
            excluded=found.seconds.excluded,
            marks=thresholds(reckoning, BAR_SECONDS),
            codes=tuple((line.code, line.units) for line in found.codes),
            amount=found.payment.amount if found.payment else None,
            held=held.payment.amount if held and held.payment else Decimal(0),
            ladders=ladders,
            blockers=found.blockers,
            warnings=found.warnings,
            lost=lost,
            last_day=_last_day(reckoning, patient, self.month),
            outlook=Outlook(),
        )

    def courses(self, patient: Patient, month: Month, cut: date) -> dict[Pool, Course]:
        """How an earlier month went on from the cut, by pool; empty for a patient who was not in
        the programme throughout, or whose month something blocked."""
        reckoning = reckon(patient, month, self._book, self._policy)
        days = (first_day(month), last_day(month))
        if reckoning.blockers or any(reckoning.context.timeline.span_on(d) is None for d in days):
            return {}
        ahead: dict[Pool, set[int]] = {"pooled": set(), "practitioner": set()}
        for mark in thresholds(reckoning, BAR_SECONDS):
            own = mark.family is Family.PRACTITIONER
            ahead["practitioner" if own else "pooled"].add(mark.seconds)
        return {
            pool: course(pool_of(reckoning.tally, pool, self._policy), cut, marks)
            for pool, marks in ahead.items()
        }


def _lost(alerts: Iterable[AlertState], month: Month) -> Iterable[CodeUnit]:
    """Units that were reached once and are not any more."""
    for alert in alerts:
        of_month = alert.month == month and alert.type == AlertType.THRESHOLD_REACHED
        if of_month and alert.transition and not alert.raised:
            yield alert.code, alert.unit


def _last_day(reckoning: Reckoning, patient: Patient, month: Month) -> date:
    span, died = reckoning.context.span, patient.chart.died_on
    ends = [last_day(month), span.last if span else None, died]
    return min(day for day in ends if day is not None)
