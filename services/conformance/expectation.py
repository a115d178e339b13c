"""What a case expects, and how an assessment falls short of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from domain.assess import Assessment
from domain.assess.assessment import Family, Seconds, Status
from services.conformance import reading

Answered = Callable[[Assessment], object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One member of the expectation that the answer does not meet."""

    field: str
    expected: object
    found: object


@dataclass(frozen=True, slots=True)
class Expectation:
    """The members that a case named; what it did not name may be anything."""

    members: Mapping[str, Any]

    def differences(self, answer: Assessment) -> tuple[Difference, ...]:
        """Where the answer is not as expected, in the order of the case."""
        found = ((name, value, ANSWERED[name](answer)) for name, value in self.members.items())
        return tuple(
            Difference(name, expected, got)
            for name, expected, got in found
            if not _meets(name, expected, got)
        )


def _meets(name: str, expected: Any, found: Any) -> bool:
    if name == "warnings":
        return set(expected) <= set(found)
    if name == "without_warnings":
        return set(expected).isdisjoint(found)
    if name == "seconds":
        return set(expected.items()) <= set(found.items())
    return bool(expected == found)


def read_expectation(members: object) -> Expectation:
    """The `expect` of a case. Raises `reading.Wrong` naming the field."""
    given = reading.mapping(members, "expect")
    reading.only(given, "expect", ANSWERED)
    if "codes" not in given:
        raise reading.Wrong("expect.codes", "missing; expected {} where no code is earned")
    return Expectation(
        {name: _READ[name](value, f"expect.{name}") for name, value in given.items()}
    )


def _amounts(value: object, field: str) -> dict[str, int]:
    members = reading.mapping(value, field)
    return {str(k): reading.whole_number(v, f"{field}.{k}") for k, v in members.items()}


def _texts(value: object, field: str) -> list[str]:
    return sorted(reading.text(item, field) for item in reading.sequence(value, field))


def _families(value: object, field: str) -> list[str]:
    items = reading.sequence(value, field)
    return sorted(reading.one_of(item, field, list(Family)) for item in items)


def _status(value: object, field: str) -> str:
    return reading.one_of(value, field, list(Status))


def _amounts_by_name(value: object, field: str) -> dict[str, dict[str, int]]:
    members = reading.mapping(value, field)
    return {str(k): _amounts(v, f"{field}.{k}") for k, v in members.items()}


def _seconds(value: object, field: str) -> dict[str, int]:
    reading.only(reading.mapping(value, field), field, [one.name for one in fields(Seconds)])
    return _amounts(value, field)


def _next(value: object, field: str) -> dict[str, dict[str, Any]]:
    members = reading.mapping(value, field)
    reading.only(members, field, list(Family))
    return {name: _threshold(step, f"{field}.{name}") for name, step in members.items()}


def _threshold(value: object, field: str) -> dict[str, Any]:
    step = reading.mapping(value, field)
    reading.only(step, field, ("code", "unit", "seconds_to_go"))
    numbers = {
        name: reading.whole_number(step.get(name, ""), f"{field}.{name}")
        for name in ("unit", "seconds_to_go")
    }
    return {"code": reading.text(step.get("code", ""), f"{field}.code"), **numbers}


_READ: Final[dict[str, Callable[[object, str], Any]]] = {
    "codes": _amounts,
    "options": _families,
    "earned": _families,
    "blockers": _texts,
    "warnings": _texts,
    "without_warnings": _texts,
    "excluded": _amounts,
    "excluded_by_entry": _amounts_by_name,
    "seconds": _seconds,
    "next": _next,
    "status": _status,
    "payment": reading.text_or_null,
    "date_of_service": reading.text_or_null,
}


def _codes(answer: Assessment) -> dict[str, int]:
    return {line.code: line.units for line in answer.codes}


def _excluded(answer: Assessment) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for exclusion in answer.excluded:
        totals[exclusion.reason] += exclusion.seconds
    return dict(totals)


def _excluded_by_entry(answer: Assessment) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for one in answer.excluded:
        found.setdefault(one.entry_id, {})[one.reason] = one.seconds
    return found


def _nearest(answer: Assessment) -> dict[str, dict[str, Any]]:
    return {
        str(step.family): {
            "code": step.code,
            "unit": step.unit,
            "seconds_to_go": step.seconds_to_go,
        }
        for step in answer.next
    }


ANSWERED: Final[dict[str, Answered]] = {
    "codes": _codes,
    "options": lambda answer: sorted(str(option.family) for option in answer.options),
    "earned": lambda answer: sorted(str(option.family) for option in answer.earned),
    "blockers": lambda answer: sorted(answer.blockers),
    "warnings": lambda answer: sorted(answer.warnings),
    "without_warnings": lambda answer: sorted(answer.warnings),
    "excluded": _excluded,
    "excluded_by_entry": _excluded_by_entry,
    "seconds": lambda answer: asdict(answer.seconds),
    "next": _nearest,
    "status": lambda answer: str(answer.status),
    "payment": lambda answer: None if answer.payment is None else str(answer.payment.amount),
    "date_of_service": lambda answer: (
        None if answer.date_of_service is None else answer.date_of_service.isoformat()
    ),
}
"""How each member of an expectation is read off an assessment."""
