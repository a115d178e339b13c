"""What every identifier means in plain words, and which rule stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from domain.event import Event
from domain.explain.explanation import CitedRule, EventRef
from domain.facts import FACT_OF_TYPE, Month
from domain.rules.book import ALL_ROWS, Dated
from domain.rules.citation import Citation, Confidence
from domain.rules.principles import PlainRule
from domain.time.calendar import first_day

_SINCE = date(2015, 1, 1)
_PIM = "Medicare Program Integrity Manual 3.3.2.5 (from 2013-01-08); NGS on amending records"

EXPLANATORY_RULES = (
    PlainRule(
        "record.correction",
        _SINCE,
        None,
        Citation(
            _PIM,
            Confidence.OFFICIAL,
            "a correction is marked, dated and leaves the original readable; the last one stands",
        ),
    ),
    PlainRule(
        "record.clock-times",
        _SINCE,
        None,
        Citation(
            "coders' advice on documentation, as relayed",
            Confidence.SECONDARY,
            "without start and end nobody can show that work did not overlap",
        ),
    ),
    PlainRule(
        "record.after-claim",
        _SINCE,
        None,
        Citation(
            _PIM,
            Confidence.DERIVED,
            "documentation is complete before the claim; later changes need a corrected claim",
        ),
    ),
    PlainRule(
        "fee.official-figures",
        _SINCE,
        None,
        Citation(
            "CMS relative value files, GPCI tables and conversion factors",
            Confidence.OFFICIAL,
            "an amount is computed from published figures or not given at all",
        ),
    ),
)
"""Principles that are cited in explanations and decide no answer: not part of any digest."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """An identifier in plain words, and the rules behind it in order of weight."""

    sentence: str
    rule_ids: tuple[str, ...]


EXCLUSION_REASONS: Mapping[str, Meaning] = {
    "voided": Meaning("the entry was voided", ("record.correction",)),
    "other-program": Meaning(
        "logged for another programme: a minute serves one service only", ("time.other-programme",)
    ),
    "non-clinical": Meaning("done by non-clinical staff", ("time.clinical-staff",)),
    "outside-us": Meaning("done outside the United States", ("time.inside-us",)),
    "not-countable": Meaning(
        "an activity the practice's policy does not count", ("time.countable-activity",)
    ),
    "after-death": Meaning("after the day of death", ("time.after-death",)),
    "not-enrolled": Meaning("on a day outside every enrolment", ("enrolment.in-force",)),
    "before-consent": Meaning(
        "before a valid consent to the billing practitioner in force that day",
        ("time.before-consent",),
    ),
    "before-initiating-visit": Meaning(
        "before the initiating visit that this enrolment needs", ("time.before-visit",)
    ),
    "inpatient": Meaning("during an inpatient stay", ("time.inpatient",)),
    "snf-part-a": Meaning("during a nursing stay that Part A pays", ("time.snf-part-a",)),
    "tcm-period": Meaning(
        "inside a transitional care period of the same practitioner before 2020",
        ("service.tcm-period",),
    ),
    "overlap": Meaning("while another entry's time was already counted", ("time.once",)),
}
"""In the order in which the first match wins."""

BLOCKERS: Mapping[str, Meaning] = {
    "not-enrolled": Meaning("an enrolment covers a day of the month", ("enrolment.in-force",)),
    "consent-missing": Meaning(
        "a valid consent to the billing practitioner exists by month end",
        ("consent.written", "consent.verbal-or-written", "consent.practitioner-change"),
    ),
    "consent-revoked": Meaning(
        "no revocation of an earlier month stands unrenewed", ("consent.revocation",)
    ),
    "conditions-fewer-than-two": Meaning(
        "two distinct conditions, attested as chronic, are active", ("conditions.two",)
    ),
    "care-plan-missing": Meaning(
        "a care plan was established by month end", ("care-plan.established",)
    ),
    "initiating-visit-missing": Meaning(
        "a qualifying visit came before the service",
        (
            "visit.everybody",
            "visit.new-or-not-seen",
            "visit.qualifying",
            "visit.qualifying.99201",
        ),
    ),
    "provider-not-eligible": Meaning(
        "the billing practitioner's credential may bill", ("practitioner.credential",)
    ),
    "competing-service": Meaning(
        "the same practitioner billed no service that excludes care management",
        (
            "service.home-health-oversight",
            "service.esrd-monthly",
            "service.pcm",
            "service.apcm",
        ),
    ),
    "billed-elsewhere": Meaning(
        "nobody else billed care management for the month", ("service.ccm-elsewhere",)
    ),
}
"""What each requirement asks; unmet, it blocks under the identifier."""

WARNINGS: Mapping[str, Meaning] = {
    "concurrent-service": Meaning(
        "another service stands beside care management and needs minutes of its own",
        (
            "service.tcm-concurrent",
            "service.remote-monitoring",
            "service.behavioral-health",
            "service.elsewhere-allowed",
        ),
    ),
    "contemporaneity": Meaning(
        "work was recorded more than 7 days after it ended",
        ("time.contemporaneous", "record.correction"),
    ),
    "fee-missing": Meaning(
        "a figure for the amount is not known, so no amount is given", ("fee.official-figures",)
    ),
    "late-after-claim": Meaning(
        "time was logged, amended or voided after the claim", ("record.after-claim",)
    ),
    "mdm-not-by-billing-practitioner": Meaning(
        "the decision making was not assessed by the billing practitioner",
        ("complex.mdm-and-plan", "complex.mdm"),
    ),
    "mue-exceeded": Meaning(
        "more units than a claim passes without review", ("code.99437", "code.99489")
    ),
    "same-day-visit": Meaning(
        "a visit fell on a day with counted time; no minute may serve both",
        ("time.other-programme",),
    ),
    "unclocked-time": Meaning(
        "some counted time has no start and end", ("record.clock-times", "time.once")
    ),
}

EVERY_ROW: tuple[Dated, ...] = (*ALL_ROWS, *EXPLANATORY_RULES)
_ROWS: dict[str, list[Dated]] = {}
for _row in EVERY_ROW:
    _ROWS.setdefault(_row.rule_id, []).append(_row)
_TYPE_OF_FACT = {fact: name for name, fact in FACT_OF_TYPE.items()}


def cite(rule_id: str, month: Month | None = None) -> CitedRule:
    """The row of that rule, the one in force in the month where there are several.

    Raises KeyError for a rule that does not exist.
    """
    rows = _ROWS[rule_id]
    row = rows[-1]
    if month is not None:
        day = first_day(month)
        row = next((r for r in rows if r.first <= day and (not r.last or day <= r.last)), row)
    found = row.citation
    return CitedRule(rule_id, row.first, row.last, found.source, found.confidence.value, found.note)


def cite_in_force(rule_ids: Iterable[str], month: Month) -> tuple[CitedRule, ...]:
    """Of these rules the ones that hold in the month."""
    day = first_day(month)
    found = (cite(rule_id, month) for rule_id in rule_ids)
    return tuple(r for r in found if r.first <= day and (r.last is None or day <= r.last))


def ref(event: Event) -> EventRef:
    return EventRef(event.source, event.id, _TYPE_OF_FACT[type(event.fact)])


def refs(events: Iterable[Event]) -> tuple[EventRef, ...]:
    """Each event once, by the order of its facts."""
    once = {event.key: event for event in events}
    return tuple(ref(event) for event in sorted(once.values(), key=lambda event: event.order))


def of_exclusion(reason: str, month: Month) -> tuple[str, tuple[CitedRule, ...]]:
    """The words and the rules behind a reason for not counting time."""
    meaning = EXCLUSION_REASONS[reason]
    return meaning.sentence, tuple(cite(rule_id, month) for rule_id in meaning.rule_ids)
