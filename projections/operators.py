"""Practices of one operator that bill the same person's month: found where it is configured.

Pure. An operator's practices are named in the settings, and so is how their patients are known to
be one person: by the same patient id, or by a table of persons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.assess.reckoning import Reckoning

Person = tuple[str, str]
"""Operator and person."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Practices under one operator.

    `match` says who is one person: `patient-id`, patients of the same id in any of the practices;
    `table`, the patients that `persons` gives to one person, as practice and patient.
    """

    name: str
    practices: frozenset[str]
    match: Literal["patient-id", "table"] = "patient-id"
    persons: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Operators:
    """All operators of an installation; a practice belongs to one at most."""

    def __init__(self, operators: tuple[Operator, ...] = ()) -> None:
        self.all = operators
        self._of = {practice: o for o in operators for practice in o.practices}

    def __bool__(self) -> bool:
        return bool(self.all)

    def person(self, practice_id: str, patient_id: str) -> Person | None:
        """Who a patient is to the operator; None where nothing is to be compared."""
        operator = self._of.get(practice_id)
        if operator is None:
            return None
        if operator.match == "patient-id":
            return (operator.name, patient_id)
        person = operator.persons.get((practice_id, patient_id))
        return None if person is None else (operator.name, person)


def is_billed(month: Reckoning) -> bool:
    """Whether the month is claimed, or could be."""
    return month.claimed is not None or bool(month.offered)


def doubly_billed(billed: Mapping[str, str]) -> set[str]:
    """Of the streams that bill one person's month, given with their practices, those in conflict:
    all of them, as soon as two practices are among them."""
    return set(billed) if len(set(billed.values())) > 1 else set()
