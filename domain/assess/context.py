"""Everything about a month that does not depend on its time entries, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from domain.assess.days import DayReasons
from domain.assess.findings import (
    Finding,
    Question,
    findings,
    own_visits,
    services_with_effect,
)
from domain.chart import Chart
from domain.facts import ComplexityAssessed, Instant, Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules.book import FamilyCodes, RuleBook, RuleSet
from domain.rules.codes import Family
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
    question: Question
    findings: tuple[Finding, ...]
    blockers: tuple[str, ...]
    days: tuple[LocalDay, ...]
    spans: tuple[Span | None, ...]
    """The enrolment in force on each of `days`."""
    reasons: DayReasons
    families: tuple[FamilyCodes, ...]
    practitioners_own: frozenset[Family]
    """Those of the families that count the practitioner's seconds alone."""
    mdm_enough: bool
    mdm_by_other: bool
    concurrent: bool
    """A service that may stand beside care management falls in the month."""
    visit_spans: tuple[tuple[date, date], ...]
    """Days of the billing practitioner's own visits, first and last included."""
    day_ends: tuple[Instant, ...]
    ready_from: Instant
    """From here on every second of the month counts that is of a kind that can."""
    not_countable: frozenset[str]
    counted: object = None
    """What was counted of the month so far; `reckoning` keeps it here."""

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
    question = Question.of(chart, rules, span)
    answers = findings(question)
    reasons = DayReasons(question)
    month_days = timeline.days(month)
    mdm_enough, mdm_by_other = _mdm(question)
    families = _families(rules, span, policy)
    own = [each.rule.family for each in families if each.rule.pool == "practitioner"]
    return MonthContext(
        month=month,
        chart=chart,
        rules=rules,
        policy=policy,
        timeline=timeline,
        span=span,
        timezone=timeline.timezone_of_month(month),
        question=question,
        findings=answers,
        blockers=tuple(sorted(answer.blocker for answer in answers if not answer.met)),
        days=month_days.days,
        spans=month_days.spans,
        reasons=reasons,
        families=families,
        practitioners_own=frozenset(own),
        mdm_enough=mdm_enough,
        mdm_by_other=mdm_by_other,
        concurrent=bool(services_with_effect(question, "concurrent-service")),
        visit_spans=own_visits(question),
        day_ends=month_days.ends,
        ready_from=_ready_from(month_days, reasons),
        not_countable=_shared(policy.not_countable),
    )


@lru_cache(maxsize=1_024)
def _shared(activities: tuple[str, ...]) -> frozenset[str]:
    """One set for all months under a policy."""
    return frozenset(activities)


def _ready_from(month: MonthDays, reasons: DayReasons) -> Instant:
    """In the enrolment that holds to the month's end, from where its days begin to count."""
    span = month.spans[-1]
    day = None if span is None else reasons.ready_from(span)
    if span is None or day is None:
        return END
    begins = month.days[month.spans.index(span)].start
    return max(begins, midnight(day, span.enrolment.timezone))


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
