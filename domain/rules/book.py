"""The rule book: which rows are in force for a month, under one version and one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Any, Protocol, TypeVar

from domain.facts import Month
from domain.fees.schedule import FeeSchedule
from domain.rules.citation import Citation
from domain.rules.codes import CODE_RULES, FAMILY_RULES, CodeRule, Family, FamilyRule
from domain.rules.principles import PLAIN_RULES
from domain.rules.requirements import (
    COMPLEX_RULES,
    CONDITION_CATEGORY_LENGTH,
    CONDITIONS_MIN,
    CONSENT_RULES,
    ELIGIBLE_CREDENTIALS,
    QUALIFYING_VISIT_RULES,
    VISIT_RULES,
    ComplexRule,
    ConsentRule,
    VisitRule,
)
from domain.rules.services import EM_VISIT_CODES, SERVICE_RULES, ServiceRule
from domain.time.calendar import ONE_DAY, first_day


class Dated(Protocol):
    @property
    def rule_id(self) -> str: ...
    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date | None: ...
    @property
    def citation(self) -> Citation: ...


Row = TypeVar("Row", bound=Dated)

ALL_ROWS: tuple[Dated, ...] = (
    *CODE_RULES,
    *FAMILY_RULES,
    *SERVICE_RULES,
    *CONSENT_RULES,
    *VISIT_RULES,
    *QUALIFYING_VISIT_RULES,
    *COMPLEX_RULES,
    *PLAIN_RULES,
)

CONSTANTS: Mapping[str, Any] = {
    "conditions_min": CONDITIONS_MIN,
    "condition_category_length": CONDITION_CATEGORY_LENGTH,
    "eligible_credentials": sorted(ELIGIBLE_CREDENTIALS),
    "em_visit_codes": sorted(EM_VISIT_CODES),
}


def in_force(rows: Iterable[Row], day: date) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.first <= day and (row.last is None or day <= row.last))


@dataclass(frozen=True, slots=True)
class RulesUsed:
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class FamilyCodes:
    """A family as it may be billed: its rule, its base code, its add-on code where one exists."""

    rule: FamilyRule
    base: CodeRule
    addon: CodeRule | None


@dataclass(frozen=True)
class RuleSet:
    """The rows in force for one month of service."""

    month: Month
    used: RulesUsed
    families: Mapping[str, tuple[FamilyCodes, ...]]
    """By kind of provider, in the order in which options are listed."""
    services: tuple[ServiceRule, ...]
    consent: ConsentRule
    visit: VisitRule
    complex: ComplexRule | None

    @cached_property
    def least_threshold_seconds(self) -> int:
        """Before it no provider of any kind may bill anything; 0 where nobody ever may."""
        families = [family for kind in self.families.values() for family in kind]
        return min((family.base.threshold_seconds for family in families), default=0)

    @property
    def consent_methods(self) -> frozenset[str]:
        return self.consent.methods


OPTION_ORDER = (Family.RHC, Family.COMPLEX, Family.PRACTITIONER, Family.NON_COMPLEX)
PROVIDER_KINDS = ("practitioner", "rhc", "fqhc")
FIRST_YEAR, LAST_YEAR = 2010, 2099
"""Years that a fact may lie in."""


class RuleBook:
    """All rule sets by date of service, and the fee schedule that prices them."""

    def __init__(self, fees: FeeSchedule) -> None:
        self.fees = fees
        self._sets: dict[Month, RuleSet] = {}

    def on(self, month: Month) -> RuleSet:
        """The rule set of a month. Rule changes fall on first days of months."""
        found = self._sets.get(month)
        if found is None:
            found = self._sets[month] = _rule_set(month)
        return found

    @property
    def digest(self) -> str:
        """Stands for every row and fee figure: changes when any answer could change."""
        content = [_plain(row) for row in ALL_ROWS]
        return _digest([content, dict(CONSTANTS), self.fees.digest])


class PinnedBook(RuleBook):
    """The rules of one version in every month; fees stay those of the day. For suppositions."""

    def __init__(self, fees: FeeSchedule, version: str) -> None:
        """Raises KeyError for a version that no month has."""
        super().__init__(fees)
        held = next(
            (month for month in _months_of_year(version) if _version(first_day(month)) == version),
            None,
        )
        if held is None:
            raise KeyError(version)
        self._pinned = _rule_set(held)

    def on(self, month: Month) -> RuleSet:
        found = self._sets.get(month)
        if found is None:
            found = self._sets[month] = replace(self._pinned, month=month)
        return found


def versions_of_year(year: int) -> list[str]:
    """Versions of the rule sets of a year, in order."""
    months = (f"{year:04d}-{number:02d}" for number in range(1, 13))
    return list(dict.fromkeys(_version(first_day(month)) for month in months))


def _months_of_year(version: str) -> list[Month]:
    """The months that may have the version: those of the year in its name, where rules are."""
    year = version.removeprefix("cms-").partition(".")[0]
    if not (year.isascii() and year.isdigit()) or not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return []
    return [f"{int(year):04d}-{number:02d}" for number in range(1, 13)]


def _rule_set(month: Month) -> RuleSet:
    day = first_day(month)
    codes = in_force(CODE_RULES, day)
    family_rules = in_force(FAMILY_RULES, day)
    complex_rules = in_force(COMPLEX_RULES, day)
    return RuleSet(
        month=month,
        used=RulesUsed(_version(day), _digest([_rows_in_force(day), dict(CONSTANTS)])),
        families={kind: _families(kind, codes, family_rules) for kind in PROVIDER_KINDS},
        services=in_force(SERVICE_RULES, day),
        consent=in_force(CONSENT_RULES, day)[0],
        visit=in_force(VISIT_RULES, day)[0],
        complex=complex_rules[0] if complex_rules else None,
    )


def _families(
    kind: str, codes: tuple[CodeRule, ...], rules: tuple[FamilyRule, ...]
) -> tuple[FamilyCodes, ...]:
    found = []
    for family in OPTION_ORDER:
        for rule in rules:
            bases = [code for code in codes if code.family is family and code.is_base]
            if rule.family is family and kind in rule.provider_kinds and bases:
                addons = [code for code in codes if code.family is family and not code.is_base]
                found.append(FamilyCodes(rule, bases[0], addons[0] if addons else None))
    return tuple(found)


def _version(day: date) -> str:
    """`cms-<year>.<n>`: the nth set of rows within the year."""
    changes = {row.first for row in ALL_ROWS}
    changes |= {row.last + ONE_DAY for row in ALL_ROWS if row.last is not None}
    within = [change for change in changes if date(day.year, 1, 1) < change <= day]
    return f"cms-{day.year}.{1 + len(within)}"


def _rows_in_force(day: date) -> list[Any]:
    return [_plain(row) for row in in_force(ALL_ROWS, day)]


def _plain(row: Dated) -> Any:
    return {"row": type(row).__name__, **asdict(row)}  # type: ignore[call-overload]


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_json)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _json(value: object) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical form for {type(value).__name__}")
