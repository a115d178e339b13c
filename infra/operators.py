"""Operators of several practices, read from the settings file.

[operator."northside"]
practices = ["p1", "p2"]
match = "table"

[operator."northside".persons]
"n-17" = [["p1", "pt-4"], ["p2", "pt-981"]]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeGuard

from projections.operators import Operator, Operators

MATCHES = ("patient-id", "table")
MEMBERS = ("practices", "match", "persons")


class OperatorError(ValueError):
    """An operator that cannot be used; says which member, and what was expected."""


def operators_from(tables: Mapping[str, Any]) -> Operators:
    """The operators of a settings file. Raises OperatorError."""
    found = tuple(_operator(name, table) for name, table in sorted(tables.items()))
    owner: dict[str, str] = {}
    for operator in found:
        for practice in sorted(operator.practices):
            if practice in owner:
                raise OperatorError(
                    f'[operator."{operator.name}"] practices: {practice!r} belongs to '
                    f"{owner[practice]!r} already; expected each practice once"
                )
            owner[practice] = operator.name
    return Operators(found)


def _operator(name: str, table: Any) -> Operator:
    where = f'[operator."{name}"]'
    if not isinstance(table, dict):
        raise OperatorError(f"{where}: expected a table, found a plain value")
    for member in table:
        if member not in MEMBERS:
            raise OperatorError(f"{where} {member}: expected one of {', '.join(MEMBERS)}")
    practices = table.get("practices")
    if not _names(practices) or len(set(practices)) < 2:
        raise OperatorError(f"{where} practices: expected a list of two or more practice ids")
    match: Literal["patient-id", "table"] = table.get("match", "patient-id")
    if match not in MATCHES:
        raise OperatorError(f"{where} match: expected one of {', '.join(MATCHES)}")
    persons = table.get("persons", {})
    if bool(persons) != (match == "table"):
        raise OperatorError(f'{where} persons: expected with match = "table", and only then')
    return Operator(name, frozenset(practices), match, _persons(where, persons, set(practices)))


def _persons(where: str, table: Any, practices: set[str]) -> dict[tuple[str, str], str]:
    if not isinstance(table, dict):
        raise OperatorError(f"{where} persons: expected a table of lists")
    found: dict[tuple[str, str], str] = {}
    for person, patients in table.items():
        for patient in patients if isinstance(patients, list) else [None]:
            if not _names(patient) or len(patient) != 2 or patient[0] not in practices:
                raise OperatorError(
                    f"{where} persons {person!r}: expected a list of [practice, patient] pairs "
                    "with practices of this operator"
                )
            if (patient[0], patient[1]) in found:
                raise OperatorError(f"{where} persons {person!r}: {patient} is given twice")
            found[patient[0], patient[1]] = person
    return found


def _names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
