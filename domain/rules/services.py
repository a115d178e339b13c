"""Other services in the month: which compete, which may stand beside, which cover the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.rules.citation import Citation, Confidence

Effect = Literal["competing-service", "billed-elsewhere", "concurrent-service", "tcm-period"]
Who = Literal["same", "other", "any"]
"""The billing practitioner of the month, another one, or whoever."""


def code_range(first: int, last: int) -> frozenset[str]:
    return frozenset(f"{number:05d}" for number in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """What a billed service with one of these codes means for the month it overlaps."""

    rule_id: str
    effect: Effect
    who: Who
    codes: frozenset[str]
    first: date
    last: date | None
    citation: Citation


_ALWAYS = date(2010, 1, 1)
_HOME_HEALTH = frozenset({"G0181", "G0182"})
_PCM = code_range(99424, 99427) | {"G2064", "G2065"}
_TCM = frozenset({"99495", "99496"})
_CCM = frozenset({"99490", "99439", "G2058", "99491", "99437", "99487", "99489"})
_NCCI = Citation(
    "CMS NCCI practitioner edits 2024-07; CMS FAQ as relayed; TMA",
    Confidence.OFFICIAL,
    "no modifier opens these pairs; the edits act on one day, the programme's rule on the month",
)

SERVICE_RULES: tuple[ServiceRule, ...] = (
    ServiceRule(
        "service.home-health-oversight",
        "competing-service",
        "same",
        _HOME_HEALTH,
        _ALWAYS,
        None,
        _NCCI,
    ),
    ServiceRule(
        "service.esrd-monthly",
        "competing-service",
        "same",
        code_range(90951, 90970),
        _ALWAYS,
        None,
        _NCCI,
    ),
    ServiceRule("service.pcm", "competing-service", "same", _PCM, _ALWAYS, None, _NCCI),
    ServiceRule(
        "service.apcm",
        "competing-service",
        "same",
        frozenset({"G0556", "G0557", "G0558"}),
        _ALWAYS,
        None,
        Citation(
            "AAFP on advanced primary care management",
            Confidence.SECONDARY,
            "the monthly bundle contains CCM",
        ),
    ),
    ServiceRule(
        "service.ccm-elsewhere",
        "billed-elsewhere",
        "other",
        _CCM | {"G0511"},
        _ALWAYS,
        None,
        Citation(
            "OIG A-07-17-05101 and A-07-19-05122; NGS",
            Confidence.OFFICIAL,
            "one practitioner a patient and month",
        ),
    ),
    ServiceRule(
        "service.tcm-period",
        "tcm-period",
        "same",
        _TCM,
        _ALWAYS,
        date(2019, 12, 31),
        Citation(
            "NCCI pairs until 2019-12-31; TMA",
            Confidence.SECONDARY,
            "time inside the 30 days belongs to the transition",
        ),
    ),
    ServiceRule(
        "service.tcm-concurrent",
        "concurrent-service",
        "any",
        _TCM,
        date(2020, 1, 1),
        None,
        Citation(
            "PFS 2020 final rule; CMS NCCI pairs deleted on 2019-12-31",
            Confidence.OFFICIAL,
            "allowed beside with its own minutes",
        ),
    ),
    ServiceRule(
        "service.remote-monitoring",
        "concurrent-service",
        "any",
        frozenset({"99457", "99458", "98980", "98981"}),
        _ALWAYS,
        None,
        Citation(
            "CMS NCCI practitioner edits 2024-07: no pair with CCM",
            Confidence.OFFICIAL,
            "allowed beside with its own minutes",
        ),
    ),
    ServiceRule(
        "service.behavioral-health",
        "concurrent-service",
        "any",
        frozenset({"99484", "99492", "99493", "99494"}),
        _ALWAYS,
        None,
        Citation(
            "CMS NCCI practitioner edits 2024-07: no pair with 99490 and 99487",
            Confidence.OFFICIAL,
            "allowed beside with its own minutes; 99484 on one day with 99491 or 99437 needs a "
            "modifier",
        ),
    ),
    ServiceRule(
        "service.elsewhere-allowed",
        "concurrent-service",
        "other",
        _PCM | _HOME_HEALTH,
        _ALWAYS,
        None,
        Citation(
            "CMS FAQ as relayed; Noridian Q&A",
            Confidence.SECONDARY,
            "exclusive for one practitioner, not for the patient",
        ),
    ),
)

EM_VISIT_CODES = code_range(99201, 99205) | code_range(99211, 99215) | code_range(99341, 99350)
"""Office and home visits whose day must not lend its minutes to care management."""
