"""Rules whose content is their name: principles that are explained and cited, not parameterised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.rules.citation import Citation, Confidence

_SINCE = date(2015, 1, 1)
_FAQ_2017 = Citation("CMS, CCM changes for 2017", Confidence.OFFICIAL)


@dataclass(frozen=True, slots=True)
class PlainRule:
    """A rule whose content is its identifier: named so that it can be explained and cited."""

    rule_id: str
    first: date
    last: date | None
    citation: Citation


PLAIN_RULES = (
    PlainRule(
        "enrolment.in-force",
        _SINCE,
        None,
        Citation(
            "programme definition",
            Confidence.DERIVED,
            "time outside the programme is nobody's to bill",
        ),
    ),
    PlainRule(
        "consent.revocation",
        _SINCE,
        None,
        Citation(
            "NGS care management page", Confidence.OFFICIAL, "takes effect at the end of its month"
        ),
    ),
    PlainRule(
        "consent.practitioner-change",
        _SINCE,
        None,
        Citation(
            "78 FR 74424; First Coast",
            Confidence.OFFICIAL,
            "renewed only when the billing practitioner changes",
        ),
    ),
    PlainRule(
        "conditions.two",
        _SINCE,
        None,
        Citation(
            "CMS MLN 909188 (2015); Noridian",
            Confidence.OFFICIAL,
            "two or more chronic conditions, attested",
        ),
    ),
    PlainRule(
        "care-plan.established",
        _SINCE,
        None,
        Citation("NGS care management page", Confidence.OFFICIAL),
    ),
    PlainRule(
        "practitioner.credential",
        _SINCE,
        None,
        Citation(
            "CMS, CCM changes for 2017; CGS 2015",
            Confidence.OFFICIAL,
            "physician, NP, PA, CNS or CNM",
        ),
    ),
    PlainRule(
        "time.calendar-month",
        _SINCE,
        None,
        Citation(
            "CMS CCM FAQ as reprinted; NGS",
            Confidence.OFFICIAL,
            "a calendar month, nothing carried over",
        ),
    ),
    PlainRule(
        "time.exact-seconds",
        _SINCE,
        None,
        Citation(
            "CMS text 2018; production practice",
            Confidence.DERIVED,
            "full thresholds, nothing rounded",
        ),
    ),
    PlainRule(
        "time.once",
        _SINCE,
        None,
        Citation(
            "CPT time principle, unverified; CMS FAQ",
            Confidence.UNVERIFIED,
            "two people at once count once",
        ),
    ),
    PlainRule(
        "time.clinical-staff",
        _SINCE,
        None,
        Citation(
            "CMS CCM FAQ 2017; 42 CFR 410.26", Confidence.OFFICIAL, "non-clinical staff never count"
        ),
    ),
    PlainRule(
        "time.inside-us",
        _SINCE,
        None,
        Citation("42 CFR 411.9; First Coast 2015", Confidence.OFFICIAL),
    ),
    PlainRule(
        "time.other-programme",
        _SINCE,
        None,
        Citation("CMS FAQ as relayed", Confidence.SECONDARY, "a minute serves one service only"),
    ),
    PlainRule(
        "time.countable-activity",
        _SINCE,
        None,
        Citation("AAFP FAQ; Noridian Q&A", Confidence.SECONDARY, "a practice may change the list"),
    ),
    PlainRule(
        "time.before-consent",
        _SINCE,
        None,
        Citation("Noridian Q&A", Confidence.OFFICIAL, "agreement comes first"),
    ),
    PlainRule(
        "time.before-visit",
        _SINCE,
        None,
        Citation("Noridian Q&A", Confidence.OFFICIAL, "the visit comes first where one is needed"),
    ),
    PlainRule(
        "time.inpatient",
        _SINCE,
        None,
        Citation(
            "facility payment principle",
            Confidence.UNVERIFIED,
            "the facility is paid for those days",
        ),
    ),
    PlainRule(
        "time.snf-part-a",
        _SINCE,
        None,
        Citation("CMS CCM FAQ 2016", Confidence.OFFICIAL, "only while Part A pays the stay"),
    ),
    PlainRule(
        "time.after-death",
        _SINCE,
        None,
        Citation(
            "CMS FAQ, not found again", Confidence.UNVERIFIED, "time up to the day of death counts"
        ),
    ),
    PlainRule(
        "time.contemporaneous",
        _SINCE,
        None,
        Citation(
            "Noridian medical review",
            Confidence.DERIVED,
            "late notes invite doubt; warned of after 7 days",
        ),
    ),
    PlainRule("family.one-a-month", _SINCE, None, _FAQ_2017),
    PlainRule(
        "claim.date",
        _SINCE,
        None,
        Citation(
            "CMS CCM FAQ as reprinted", Confidence.OFFICIAL, "threshold date or later in the month"
        ),
    ),
)
