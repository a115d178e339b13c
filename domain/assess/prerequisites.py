"""What a chart says of whole months. Most months of a patient are told the same.

Whatever a month asks of the chart, it asks whether a day lies by the month's end or before its
beginning. Between two of those days every month has the same answers, as long as the rules are the
same: they are worked out for the first such month and kept for the others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from domain.assess.days import DayReasons
from domain.assess.findings import (
    Finding,
    Question,
    findings,
    own_visits,
    services_with_effect,
)
from domain.chart import Chart
from domain.event import Event
from domain.patient import Patient
from domain.policy import Policy
from domain.rules.book import FamilyCodes, RuleBook, RuleSet
from domain.rules.codes import Family
from domain.time.calendar import first_day, last_day
from domain.time.timeline import Span


@dataclass(slots=True)
class Prerequisites:
    """The answers of the chart for some months of a patient."""

    span: Span | None
    """The enrolment in force on the last day of each of the months that has any."""
    consents: list[Event]
    visits: list[Event]
    findings: tuple[Finding, ...]
    blockers: tuple[str, ...]
    reasons: DayReasons
    ready_on: date | None
    """From this day of the enrolment on every day counts; None where none or not every does."""
    families: tuple[FamilyCodes, ...]
    families_but_complex: tuple[FamilyCodes, ...]
    practitioners_own: frozenset[Family]
    """Those of the families that count the practitioner's seconds alone."""
    warned_above: dict[str, int | None]
    """Units of an add-on code beyond which there is a warning; None: never."""
    concurrent: bool
    """A service that may stand beside care management falls in the month."""
    visit_spans: tuple[tuple[date, date], ...]
    """Days of the billing practitioner's own visits, first and last included."""


class TurningDays(NamedTuple):
    """Days, ascending, from which on something of the chart holds, and those on which it ends."""

    begun: list[date]
    ended: list[date]

    @classmethod
    def of(cls, chart: Chart) -> TurningDays:
        """Those of everything that a month asks about but what names the month itself."""
        begun = [span.first for span in chart.spans]
        ended = [span.last for span in chart.spans if span.last is not None]
        begun += [event.fact.consented_on for event in chart.consents]  # type: ignore[union-attr]
        ended += [event.fact.revoked_on for event in chart.revocations]  # type: ignore[union-attr]
        for condition in chart.conditions:
            if condition.onset_on is not None:
                begun.append(condition.onset_on)
            if condition.resolved_on is not None:
                ended.append(condition.resolved_on)
        begun += [event.fact.on for event in chart.care_plans]  # type: ignore[union-attr]
        begun += [event.fact.on for event in chart.visits]  # type: ignore[union-attr]
        begun += [event.fact.from_on for event in chart.services]  # type: ignore[union-attr]
        ended += [event.fact.through_on for event in chart.services]  # type: ignore[union-attr]
        return cls(sorted(begun), sorted(ended))


def prerequisites(
    patient: Patient, rules: RuleSet, span: Span | None, book: RuleBook, policy: Policy
) -> Prerequisites:
    """Those of a month, kept with the patient until a fact other than time changes. `span` is the
    enrolment in force on the last day of the month that has any."""
    memo, chart, month = patient.memo, patient.chart, rules.month
    days: TurningDays | None = memo.get(TurningDays)
    if days is None:
        days = memo[TurningDays] = TurningDays.of(chart)
    begun = bisect_right(days.begun, last_day(month))
    ended = bisect_left(days.ended, first_day(month))
    key = (begun, ended, rules.used.version, policy.rhc_transition, id(book))
    found: Prerequisites | None = memo.get(key)
    if found is None:
        found = memo[key] = _asked(Question.of(chart, rules, span), policy)
    return found


def _asked(question: Question, policy: Policy) -> Prerequisites:
    span, answers, reasons = question.span, findings(question), DayReasons(question)
    families = _families(question.rules, span, policy)
    own = [each.rule.family for each in families if each.rule.pool == "practitioner"]
    return Prerequisites(
        span=span,
        consents=question.consents,
        visits=question.visits,
        findings=answers,
        blockers=tuple(sorted([answer.blocker for answer in answers if not answer.met])),
        reasons=reasons,
        ready_on=None if span is None else reasons.ready_from(span),
        families=families,
        families_but_complex=tuple([f for f in families if f.rule.family is not Family.COMPLEX]),
        practitioners_own=frozenset(own),
        warned_above={f.addon.code: f.addon.units_warned_above for f in families if f.addon},
        concurrent=bool(services_with_effect(question, "concurrent-service")),
        visit_spans=own_visits(question),
    )


def _families(rules: RuleSet, span: Span | None, policy: Policy) -> tuple[FamilyCodes, ...]:
    """Families the date and the kind of provider know, in the order of options."""
    families = rules.families[span.enrolment.provider_kind if span else "practitioner"]
    if policy.rhc_transition == "cpt":
        return tuple(sorted(families, key=lambda family: family.rule.family == "rhc"))
    return families
