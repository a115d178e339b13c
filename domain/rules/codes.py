"""The codes and their families: thresholds, units, dates of service, who may use them.

Rows are data. Next year's rules are new rows and closed dates, no new code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from domain.rules.citation import Citation, Confidence


class Family(StrEnum):
    """One family of codes may be billed for a patient and month."""

    RHC = "rhc"
    COMPLEX = "complex"
    PRACTITIONER = "practitioner"
    NON_COMPLEX = "non-complex"


Pool = Literal["pooled", "practitioner", "everyone"]
"""`pooled`: staff, and the practitioner's own time where the policy says so; `everyone`: both."""

ProviderKind = Literal["practitioner", "rhc", "fqhc"]

MINUTE = 60


@dataclass(frozen=True, slots=True)
class CodeRule:
    """One code. A base code is earned once at `threshold_seconds`; an add-on at each further full
    `threshold_seconds` beyond its base, up to `units_max` (None: no cap) with a warning beyond
    `units_warned_above`."""

    rule_id: str
    code: str
    family: Family
    is_base: bool
    threshold_seconds: int
    units_max: int | None
    units_warned_above: int | None
    first: date
    last: date | None
    citation: Citation


@dataclass(frozen=True, slots=True)
class FamilyRule:
    """When a kind of provider may bill a family, and from whose seconds it is counted."""

    rule_id: str
    family: Family
    pool: Pool
    provider_kinds: tuple[ProviderKind, ...]
    first: date
    last: date | None
    citation: Citation


CODE_RULES: tuple[CodeRule, ...] = (
    CodeRule(
        "code.99490",
        "99490",
        Family.NON_COMPLEX,
        True,
        20 * MINUTE,
        1,
        None,
        date(2015, 1, 1),
        None,
        Citation(
            "CMS MLN 909188 (2015)", Confidence.OFFICIAL, "payable since 2015; full 20 minutes"
        ),
    ),
    CodeRule(
        "code.G2058",
        "G2058",
        Family.NON_COMPLEX,
        False,
        20 * MINUTE,
        2,
        None,
        date(2020, 1, 1),
        date(2020, 12, 31),
        Citation(
            "CMS PFS final rule 2020; RVU20 files",
            Confidence.SECONDARY,
            "2020 only, twice a month at most",
        ),
    ),
    CodeRule(
        "code.99439",
        "99439",
        Family.NON_COMPLEX,
        False,
        20 * MINUTE,
        2,
        None,
        date(2021, 1, 1),
        None,
        Citation(
            "CMS RVU21 files; MUE practitioner table 2024-07; add-on code list",
            Confidence.OFFICIAL,
            "from 2021; two units a month, an absolute edit (MAI 2)",
        ),
    ),
    CodeRule(
        "code.99491",
        "99491",
        Family.PRACTITIONER,
        True,
        30 * MINUTE,
        1,
        None,
        date(2019, 1, 1),
        None,
        Citation(
            "NGS care management page; CMS RVU19 files; AAFP 2018-11-30",
            Confidence.OFFICIAL,
            "from 2019; the billing practitioner's own time only",
        ),
    ),
    CodeRule(
        "code.99437",
        "99437",
        Family.PRACTITIONER,
        False,
        30 * MINUTE,
        None,
        2,
        date(2022, 1, 1),
        None,
        Citation(
            "CMS RVU22 files (absent in 2021); add-on code list; MUE practitioner table 2024-07",
            Confidence.OFFICIAL,
            "paid since 2022, each a full 30 minutes more; MUE 2 is a daily edit open to appeal "
            "(MAI 3), no cap, so units beyond it are counted and warned of",
        ),
    ),
    CodeRule(
        "code.99487",
        "99487",
        Family.COMPLEX,
        True,
        60 * MINUTE,
        1,
        None,
        date(2017, 1, 1),
        None,
        Citation(
            "OIG A-07-19-05122; CMS text 2018",
            Confidence.OFFICIAL,
            "paid since 2017; a full 60 minutes",
        ),
    ),
    CodeRule(
        "code.99489",
        "99489",
        Family.COMPLEX,
        False,
        30 * MINUTE,
        None,
        10,
        date(2017, 1, 1),
        None,
        Citation(
            "OIG A-07-19-05122; CMS text 2018; MUE practitioner table 2024-07",
            Confidence.OFFICIAL,
            "paid since 2017, each a full 30 minutes more; MUE 10 is a daily edit open to appeal "
            "(MAI 3), no cap, so units beyond it are counted and warned of",
        ),
    ),
    CodeRule(
        "code.G0511",
        "G0511",
        Family.RHC,
        True,
        20 * MINUTE,
        1,
        None,
        date(2018, 1, 1),
        date(2025, 9, 30),
        Citation(
            "42 CFR 405.2464; PFS 2025 transition",
            Confidence.SECONDARY,
            "the rule let the bundle end on 2025-06-30; the extension to 2025-09-30 is taken as "
            "reported and was not found in an official text",
        ),
    ),
)

_BOTH: tuple[ProviderKind, ...] = ("rhc", "fqhc")
_RHC_2016 = Citation(
    "42 CFR 405.2464(c)", Confidence.OFFICIAL, "clinics bill the base code alone, from 2016"
)
_RHC_2025 = Citation(
    "PFS 2025 final rule, as relayed",
    Confidence.SECONDARY,
    "individual codes beside, then instead of, the bundle",
)

FAMILY_RULES: tuple[FamilyRule, ...] = (
    FamilyRule(
        "family.non-complex",
        Family.NON_COMPLEX,
        "pooled",
        ("practitioner",),
        date(2015, 1, 1),
        None,
        Citation(
            "CMS CCM FAQ 2017, question 1",
            Confidence.OFFICIAL,
            "staff time; the practitioner's own may serve as staff time",
        ),
    ),
    FamilyRule(
        "family.complex",
        Family.COMPLEX,
        "pooled",
        ("practitioner",),
        date(2017, 1, 1),
        None,
        Citation(
            "CMS text 2018 on complex CCM",
            Confidence.OFFICIAL,
            "staff time under a moderate or high decision making",
        ),
    ),
    FamilyRule(
        "family.practitioner",
        Family.PRACTITIONER,
        "practitioner",
        ("practitioner",),
        date(2019, 1, 1),
        None,
        Citation("NGS care management page", Confidence.OFFICIAL, "staff time never counts here"),
    ),
    FamilyRule(
        "family.non-complex.rhc-2016",
        Family.NON_COMPLEX,
        "pooled",
        _BOTH,
        date(2016, 1, 1),
        date(2017, 12, 31),
        _RHC_2016,
    ),
    FamilyRule(
        "family.rhc",
        Family.RHC,
        "everyone",
        _BOTH,
        date(2018, 1, 1),
        date(2025, 9, 30),
        Citation(
            "42 CFR 405.2413, 405.2464", Confidence.OFFICIAL, "one general care management code"
        ),
    ),
    FamilyRule(
        "family.non-complex.rhc-2025",
        Family.NON_COMPLEX,
        "pooled",
        _BOTH,
        date(2025, 1, 1),
        None,
        _RHC_2025,
    ),
    FamilyRule(
        "family.complex.rhc-2025",
        Family.COMPLEX,
        "pooled",
        _BOTH,
        date(2025, 1, 1),
        None,
        _RHC_2025,
    ),
    FamilyRule(
        "family.practitioner.rhc-2025",
        Family.PRACTITIONER,
        "practitioner",
        _BOTH,
        date(2025, 1, 1),
        None,
        _RHC_2025,
    ),
)
