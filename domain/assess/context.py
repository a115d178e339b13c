"""Everything about a month that does not depend on its time entries, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from domain.assess.days import DayReasons
from domain.assess.findings import Finding, Question
from domain.assess.prerequisites import Prerequisites, prerequisites
from domain.chart import Chart
from domain.facts import ComplexityAssessed, Instant, Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules.book import FamilyCodes, RuleBook, RuleSet
from domain.time.calendar import LocalDay, midnight, month_of
from domain.time.timeline import END, MonthDays, Span, Timeline


@dataclass(slots=True)
class MonthContext:
    """One patient's month but for its entries."""

    month: Month
    chart: Chart
    rules: RuleSet
    policy: Policy
    timeline: Timeline
    span: Span | None
    timezone: str
    prerequisites: Prerequisites
    blockers: tuple[str, ...]
    days: tuple[LocalDay, ...]
    spans: tuple[Span | None, ...]
    """The enrolment in force on each of `days`."""
    reasons: DayReasons
    in_reach: tuple[FamilyCodes, ...]
    """Families that seconds may bring, in the order of options: complex only with the decision
    making it needs."""
    mdm_enough: bool
    mdm_by_other: bool
    day_ends: tuple[Instant, ...]
    ready_from: Instant
    """From here on every second of the month counts that is of a kind that can."""
    not_countable: frozenset[str]
    counted: object = None
    """What was counted of the month so far; `reckoning` keeps it here."""

    @property
    def question(self) -> Question:
        """What the month's requirements are asked about."""
        asked = self.prerequisites
        return Question(self.chart, self.rules, self.span, asked.consents, asked.visits)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The requirements, answered."""
        return self.prerequisites.findings

    @property
    def families(self) -> tuple[FamilyCodes, ...]:
        """Those that the rules of the month know, in the order of options."""
        return self.prerequisites.families

    def holds(self, day: date) -> bool:
        """Whether a date lies in the month."""
        return month_of(day) == self.month

    def reasons_on(self, day: date) -> tuple[str | None, str | None]:
        """The two reasons for unclocked time of a date, by the enrolment of that date."""
        return self.reasons.of(day, self.timeline.span_on(day))


def month_context(patient: Patient, month: Month, book: RuleBook, policy: Policy) -> MonthContext:
    """The context of a month, kept with the patient until a fact other than time changes."""
    key = (month, policy, id(book))
    found: MonthContext | None = patient.memo.get(key)
    if found is None:
        found = patient.memo[key] = _build(patient, month, book, policy)
    return found


def _timeline(patient: Patient, policy: Policy) -> Timeline:
    key = ("timeline", policy.default_timezone)
    found: Timeline | None = patient.memo.get(key)
    if found is None:
        found = patient.memo[key] = Timeline(patient.chart.spans, policy.default_timezone)
    return found


def _build(patient: Patient, month: Month, book: RuleBook, policy: Policy) -> MonthContext:
    chart, rules, timeline = patient.chart, book.on(month), _timeline(patient, policy)
    span = timeline.span_of_month(month)
    asked = prerequisites(patient, rules, span, book, policy)
    days = timeline.days(month)
    mdm_enough, mdm_by_other = _mdm(chart, rules, span)
    return MonthContext(
        month=month,
        chart=chart,
        rules=rules,
        policy=policy,
        timeline=timeline,
        span=span,
        timezone=span.enrolment.timezone if span else policy.default_timezone,
        prerequisites=asked,
        blockers=asked.blockers,
        days=days.days,
        spans=days.spans,
        reasons=asked.reasons,
        in_reach=asked.families if mdm_enough else asked.families_but_complex,
        mdm_enough=mdm_enough,
        mdm_by_other=mdm_by_other,
        day_ends=days.ends,
        ready_from=_ready_from(days, asked),
        not_countable=_shared(policy.not_countable),
    )


@lru_cache(maxsize=1_024)
def _shared(activities: tuple[str, ...]) -> frozenset[str]:
    """One set for all months under a policy."""
    return frozenset(activities)


def _ready_from(month: MonthDays, asked: Prerequisites) -> Instant:
    """In the enrolment that holds to the month's end, from where its days begin to count."""
    span, day = asked.span, asked.ready_on
    if span is None or day is None or month.spans[-1] is not span:
        return END
    begins = month.days[month.spans.index(span)].start
    return max(begins, midnight(day, span.enrolment.timezone))


def _mdm(chart: Chart, rules: RuleSet, span: Span | None) -> tuple[bool, bool]:
    """(enough and by the billing practitioner, enough but by another)."""
    event = chart.complexity.get(rules.month)
    if event is None or rules.complex is None or span is None:
        return (False, False)
    fact = event.fact
    assert isinstance(fact, ComplexityAssessed)
    enough, own = fact.mdm in rules.complex.mdm, span.enrolment.billing_practitioner.npi
    return (enough and fact.npi == own, enough and fact.npi != own)
