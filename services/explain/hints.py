"""Diagnoses on record that public code sets count as chronic, where chronic conditions are missing.

They propose what a clinician might look at. Nothing is assessed by them: whether a condition is
chronic is what the clinician attested.
"""

from __future__ import annotations

from domain.assess.context import month_context
from domain.chart import Condition
from domain.explain import catalogue
from domain.explain.explanation import ConditionHint, Explanation
from domain.explain.wording import listed
from domain.facts import Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from domain.rules.requirements import CONDITION_CATEGORY_LENGTH
from domain.time.calendar import first_day, last_day
from infra.codesets import CodeSet, counted_chronic_by

MISSING = "conditions-fewer-than-two"
HINTS_MAX = 20
"""More of them would be a list of the chart."""


def needs_hints(explanation: Explanation) -> bool:
    """Whether the month lacks chronic conditions."""
    return any(c.blocker == MISSING and not c.met for c in explanation.conditions)


def hints(
    patient: Patient, month: Month, book: RuleBook, policy: Policy
) -> tuple[ConditionHint, ...]:
    """Conditions that are active in the month, recorded and not attested as chronic, in categories
    that nothing attested is in, which a code set counts as chronic."""
    first, last = first_day(month), last_day(month)
    conditions = month_context(patient, month, book, policy).chart.conditions
    active = [each for each in conditions if each.active_between(first, last)]
    attested = {_category(each) for each in active if each.chronic}
    found = []
    for each in active:
        sets = counted_chronic_by(each.code, first, last)
        if sets and _category(each) not in attested:
            found.append(_hint(each, sets))
    return tuple(found[:HINTS_MAX])


def _category(condition: Condition) -> str:
    return condition.code[:CONDITION_CATEGORY_LENGTH]


def _hint(condition: Condition, sets: list[CodeSet]) -> ConditionHint:
    names = tuple(each.name for each in sets)
    return ConditionHint(
        code=condition.code,
        sets=names,
        sentence=(
            f"{condition.code} is on record and not attested as chronic; {listed(names)} "
            f"count{'s' if len(names) == 1 else ''} it as chronic. The clinician decides."
        ),
        evidence=catalogue.refs(condition.evidence),
    )
