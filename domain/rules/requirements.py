"""What a month needs: consent, conditions, plan, visit, credential. Effective-dated rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.rules.citation import Citation, Confidence
from domain.rules.services import code_range


@dataclass(frozen=True, slots=True)
class ConsentRule:
    rule_id: str
    methods: frozenset[str]
    first: date
    last: date | None
    citation: Citation


@dataclass(frozen=True, slots=True)
class VisitRule:
    """Who needs an initiating visit at which CCM was discussed: everybody, or new patients."""

    rule_id: str
    discussed_for: Literal["everybody", "new-patients"]
    first: date
    last: date | None
    citation: Citation


@dataclass(frozen=True, slots=True)
class QualifyingVisitRule:
    """Codes of visits that may initiate, by the date of the visit."""

    rule_id: str
    codes: frozenset[str]
    first: date
    last: date | None
    citation: Citation


@dataclass(frozen=True, slots=True)
class ComplexRule:
    """What the complex family needs besides its minutes."""

    rule_id: str
    mdm: frozenset[str]
    plan_actions_in_month: frozenset[str]
    """One of these care plan actions must fall in the month; empty: none needed."""
    first: date
    last: date | None
    citation: Citation


_LONG_AGO = date(2010, 1, 1)

CONSENT_RULES = (
    ConsentRule(
        "consent.written",
        frozenset({"written"}),
        _LONG_AGO,
        date(2016, 12, 31),
        Citation(
            "CMS MLN 909188 (2015)", Confidence.OFFICIAL, "written agreement until the end of 2016"
        ),
    ),
    ConsentRule(
        "consent.verbal-or-written",
        frozenset({"verbal", "written"}),
        date(2017, 1, 1),
        None,
        Citation(
            "CMS, CCM changes for 2017; Noridian medical review",
            Confidence.OFFICIAL,
            "verbal agreement is enough when it is documented in the record",
        ),
    ),
)

VISIT_RULES = (
    VisitRule(
        "visit.everybody",
        "everybody",
        _LONG_AGO,
        date(2016, 12, 31),
        Citation(
            "CMS, CCM changes for 2017; AAFP on the CMS FAQ 2016",
            Confidence.OFFICIAL,
            "before 2017 every patient needed a visit at which care management was discussed",
        ),
    ),
    VisitRule(
        "visit.new-or-not-seen",
        "new-patients",
        date(2017, 1, 1),
        None,
        Citation(
            "CMS, CCM changes for 2017; NGS; Noridian Q&A",
            Confidence.OFFICIAL,
            "seen within a year before the start, or an initiating visit",
        ),
    ),
)

_QUALIFYING = Citation(
    "AAFP on the CMS FAQ 2016; Noridian Q&A; NGS",
    Confidence.OFFICIAL,
    "face to face, levels 2 to 5, home, wellness and transition visits; never 99211 or telephone",
)

QUALIFYING_VISIT_RULES = (
    QualifyingVisitRule(
        "visit.qualifying",
        code_range(99202, 99205)
        | code_range(99212, 99215)
        | code_range(99341, 99350)
        | {"G0402", "G0438", "G0439", "99495", "99496"},
        _LONG_AGO,
        None,
        _QUALIFYING,
    ),
    QualifyingVisitRule(
        "visit.qualifying.99201", frozenset({"99201"}), _LONG_AGO, date(2020, 12, 31), _QUALIFYING
    ),
)

_MDM = frozenset({"moderate", "high"})

COMPLEX_RULES = (
    ComplexRule(
        "complex.mdm-and-plan",
        _MDM,
        frozenset({"established", "revised"}),
        date(2017, 1, 1),
        date(2019, 12, 31),
        Citation(
            "CMS text 2018 on complex CCM",
            Confidence.OFFICIAL,
            "the plan was set up or substantially revised in the month",
        ),
    ),
    ComplexRule(
        "complex.mdm",
        _MDM,
        frozenset(),
        date(2020, 1, 1),
        None,
        Citation(
            "PFS 2020 final rule, as relayed",
            Confidence.SECONDARY,
            "moderate or high, by the billing practitioner; since 2020 no plan revision is needed",
        ),
    ),
)

CONDITIONS_MIN = 2
CONDITION_CATEGORY_LENGTH = 3
"""Two codes are distinct conditions when their ICD-10-CM categories, three characters, differ."""

ELIGIBLE_CREDENTIALS = frozenset({"MD", "DO", "NP", "PA", "CNS", "CNM"})
