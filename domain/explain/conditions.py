"""Every requirement of the month in a sentence, met or not, with what proves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from domain.assess.context import MonthContext
from domain.assess.findings import Finding, Question, services_with_effect
from domain.explain import catalogue
from domain.explain.explanation import CitedRule, Condition, Shortfall
from domain.explain.shortfalls import SHORTFALLS
from domain.explain.wording import days, listed, several
from domain.facts import (
    CarePlanRecorded,
    ConsentRecorded,
    ConsentRevoked,
    PatientMerged,
    ServiceBilled,
    VisitRecorded,
)
from domain.rules.requirements import (
    CONDITION_CATEGORY_LENGTH,
    CONDITIONS_MIN,
    ELIGIBLE_CREDENTIALS,
)
from domain.time.calendar import a_year_before, first_day, last_day, month_of

Sentence = Callable[[MonthContext, Finding], str]


def conditions(context: MonthContext) -> tuple[Condition, ...]:
    """One per finding of the month, in the order in which they are asked."""
    return tuple(_condition(context, finding) for finding in context.findings)


def _condition(context: MonthContext, finding: Finding) -> Condition:
    blocker = finding.blocker
    short = SHORTFALLS.get(blocker)
    return Condition(
        blocker=blocker,
        met=finding.met,
        sentence=SENTENCES[blocker](context, finding),
        evidence=catalogue.refs(finding.evidence),
        falls_short=_falls_short(context.question, finding, short),
        rules=_rules(context, finding),
    )


def _falls_short(
    q: Question, finding: Finding, short: Callable[[Question], list[Shortfall]] | None
) -> tuple[Shortfall, ...]:
    return tuple(short(q)) if short is not None and not finding.met else ()


def _rules(context: MonthContext, finding: Finding) -> tuple[CitedRule, ...]:
    """The finding's own rule first, then what else the requirement rests on."""
    named = [finding.rule_id]
    if finding.met or finding.blocker not in ("competing-service", "billed-elsewhere"):
        named += catalogue.BLOCKERS[finding.blocker].rule_ids
    else:
        found = services_with_effect(context.question, finding.blocker)
        named += [rule_id for rule_id, _ in found]
    return catalogue.cite_in_force(dict.fromkeys(named), context.month)


def _enrolment(context: MonthContext, _: Finding) -> str:
    span, month = context.span, context.month
    if span is not None:
        who = span.enrolment.billing_practitioner
        return (
            f"Enrolled {days(span.first, span.last)} with practitioner {who.npi} "
            f"({who.credential}, {span.enrolment.provider_kind}, {span.enrolment.setting})."
        )
    if context.chart.merged is not None:
        return f"This record was merged into that of {_into(context)}, which has its whole history."
    spans = context.timeline.spans
    if not spans:
        return f"No enrolment is on record, so none covers a day of {month}."
    known = listed([days(each.first, each.last) for each in spans])
    return f"No enrolment covers a day of {month}; on record: {known}."


def _into(context: MonthContext) -> str:
    merged = context.chart.merged
    assert merged is not None
    assert isinstance(merged.fact, PatientMerged)
    return merged.fact.into


def _whose(q: Question) -> str:
    return "any practitioner" if q.npi is None else f"practitioner {q.npi}"


def _consent(context: MonthContext, finding: Finding) -> str:
    q = context.question
    forms = " or ".join(sorted(context.rules.consent_methods))
    if not finding.met:
        return f"No {forms} consent to {_whose(q)} by {last_day(q.month)}."
    given = sorted(
        (fact.consented_on, fact.method)
        for fact in (event.fact for event in finding.evidence)
        if isinstance(fact, ConsentRecorded)
    )
    first_on, method = given[0]
    more = f", and {len(given) - 1} later" if len(given) > 1 else ""
    return f"{method.capitalize()} consent to {_whose(q)} on {first_on}{more}."


def _revocation(context: MonthContext, finding: Finding) -> str:
    month = context.month
    within = sorted(
        fact.revoked_on
        for fact in (event.fact for event in context.chart.revocations)
        if isinstance(fact, ConsentRevoked) and month_of(fact.revoked_on) == month
    )
    note = f" Revoked on {within[0]}, with effect from the end of {month}." if within else ""
    if not finding.evidence:
        return f"No consent was revoked before {month}.{note}"
    revoked = finding.evidence[0].fact
    assert isinstance(revoked, ConsentRevoked)
    if not finding.met:
        return f"Consent was revoked on {revoked.revoked_on} and not renewed.{note}"
    renewed = min(
        event.fact.consented_on
        for event in finding.evidence
        if isinstance(event.fact, ConsentRecorded)
    )
    return f"Consent was revoked on {revoked.revoked_on} and renewed on {renewed}.{note}"


def _conditions(context: MonthContext, _: Finding) -> str:
    first, last = first_day(context.month), last_day(context.month)
    active = [c for c in context.chart.conditions if c.chronic and c.active_between(first, last)]
    categories = sorted({c.code[:CONDITION_CATEGORY_LENGTH] for c in active})
    named = f": {listed([c.code for c in active])}" if active else ""
    counted = several(len(categories), "distinct chronic condition")
    return f"{counted} active in {context.month}, {CONDITIONS_MIN} are needed{named}."


def _care_plan(context: MonthContext, finding: Finding) -> str:
    if not finding.met:
        return f"No care plan was established by {last_day(context.month)}."
    established = min(
        event.fact.on for event in finding.evidence if isinstance(event.fact, CarePlanRecorded)
    )
    return f"A care plan was established on {established}."


def _visit(context: MonthContext, finding: Finding) -> str:
    assert context.span is not None
    enrolment = context.span.enrolment
    earliest = a_year_before(enrolment.effective_on)
    everybody = context.rules.visit.discussed_for == "everybody"
    with_talk = (
        " at which care management was discussed" if everybody or enrolment.new_patient else ""
    )
    if not finding.met:
        return (
            f"No qualifying visit{with_talk} by {_whose(context.question)} "
            f"from {earliest} to {last_day(context.month)}."
        )
    visit = finding.evidence[0].fact
    assert isinstance(visit, VisitRecorded)
    return f"Visit {visit.hcpcs} on {visit.on}{with_talk}, not before {earliest}."


def _credential(context: MonthContext, finding: Finding) -> str:
    assert context.span is not None
    credential = context.span.enrolment.billing_practitioner.credential
    if finding.met:
        return f"Credential {credential} may bill."
    return f"The credential is none of {', '.join(sorted(ELIGIBLE_CREDENTIALS))}."


def _service(none_found: str, found: str, _: MonthContext, finding: Finding) -> str:
    if finding.met:
        return none_found
    billed = [
        f"{fact.hcpcs} {days(fact.from_on, fact.through_on)}"
        for fact in (event.fact for event in finding.evidence)
        if isinstance(fact, ServiceBilled)
    ]
    return f"{found}: {listed(billed)}."


SENTENCES: dict[str, Sentence] = {
    "not-enrolled": _enrolment,
    "consent-missing": _consent,
    "consent-revoked": _revocation,
    "conditions-fewer-than-two": _conditions,
    "care-plan-missing": _care_plan,
    "initiating-visit-missing": _visit,
    "provider-not-eligible": _credential,
    "competing-service": partial(
        _service,
        "No service of the same practitioner excludes care management.",
        "The same practitioner billed what excludes care management",
    ),
    "billed-elsewhere": partial(
        _service,
        "Nobody else billed care management for the month.",
        "Another practitioner billed care management",
    ),
}
