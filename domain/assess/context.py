"""Everything about a month that does not depend on its time entries, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from domain.assess.days import DayReasons
from domain.assess.findings import Finding, Question, findings
from domain.chart import Chart
from domain.facts import ComplexityAssessed, Instant, Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules.book import FamilyCodes, RuleBook, RuleSet
from domain.time.calendar import first_day
from domain.time.timeline import Span, Timeline


@dataclass(frozen=True, slots=True)
class CountedDay:
    """A stretch of instants on one local date, and why its time does not count (None: it does).

    `lasting` is the reason that would be left if enrolment, consent and visit were in order.
    """

    start: Instant
    end: Instant
    day: date
    reason: str | None
    lasting: str | None


@dataclass(slots=True)
class MonthContext:
    """One patient's month but for its entries."""

    chart: Chart
    rules: RuleSet
    policy: Policy
    timeline: Timeline
    span: Span | None
    timezone: str
    question: Question
    findings: tuple[Finding, ...]
    blockers: tuple[str, ...]
    days: tuple[CountedDay, ...]
    reasons_on: Mapping[date, tuple[str | None, str | None]]
    """The same two reasons for unclocked time, by the enrolment of the date."""
    families: tuple[FamilyCodes, ...]
    mdm_enough: bool
    mdm_by_other: bool

    @property
    def month(self) -> Month:
        return self.rules.month


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
    question = Question(chart, rules, span)
    answers = findings(question)
    reasons = DayReasons(chart, rules)
    days = timeline.days(month)
    mdm_enough, mdm_by_other = _mdm(question)
    return MonthContext(
        chart=chart,
        rules=rules,
        policy=policy,
        timeline=timeline,
        span=span,
        timezone=timeline.timezone_of_month(month),
        question=question,
        findings=answers,
        blockers=tuple(sorted(answer.blocker for answer in answers if not answer.met)),
        days=tuple(CountedDay(d.start, d.end, d.day, *reasons.of(d.day, d.span)) for d in days),
        reasons_on=_by_date(month, timeline, reasons),
        families=_families(rules, span, policy),
        mdm_enough=mdm_enough,
        mdm_by_other=mdm_by_other,
    )


def _by_date(
    month: Month, timeline: Timeline, reasons: DayReasons
) -> dict[date, tuple[str | None, str | None]]:
    first = first_day(month)
    dates = (first + timedelta(days=number) for number in range(31))
    return {d: reasons.of(d, timeline.span_on(d)) for d in dates if d.month == first.month}


def _families(rules: RuleSet, span: Span | None, policy: Policy) -> tuple[FamilyCodes, ...]:
    """Families the date and the kind of provider know, in the order of options."""
    families = rules.families[span.enrolment.provider_kind if span else "practitioner"]
    if policy.rhc_transition == "cpt":
        return tuple(sorted(families, key=lambda family: family.rule.family == "rhc"))
    return families


def _mdm(q: Question) -> tuple[bool, bool]:
    """(enough and by the billing practitioner, enough but by another)."""
    event = q.chart.complexity.get(q.month)
    if event is None or q.rules.complex is None or q.npi is None:
        return (False, False)
    fact = event.fact
    assert isinstance(fact, ComplexityAssessed)
    enough = fact.mdm in q.rules.complex.mdm
    return (enough and fact.npi == q.npi, enough and fact.npi != q.npi)
