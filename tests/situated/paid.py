"""Months that were claimed, and months whose dollars are not the usual ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from domain import facts as f
from domain.fees.figures import FigureSet, Gpci, LocalityAmount, Rvu
from domain.fees.schedule import BUILT_IN
from domain.policy import Policy
from domain.rules import RuleBook
from tests.given import (
    NPI,
    day,
    event,
    instant,
    practitioner,
    ready,
    staff,
    unclocked,
)
from tests.situated.words import (
    MONTH,
    Situation,
    claimed,
    with_enrolment,
    without,
)


def a_claim_no_longer_supported() -> Situation:
    late = unclocked("t3", "2025-03-07", 300)
    return Situation(
        "a-claim-no-longer-supported",
        MONTH,
        [
            *ready(MONTH),
            practitioner("t1", "2025-03-05", 9_000),
            event(
                f.TimeLogged(
                    "t2",
                    f.Performer("cl", f.Role.CLINICAL_STAFF),
                    "x",
                    f.Clocked(instant("2025-03-06T15:00:00Z"), instant("2025-03-06T15:20:00Z")),
                ),
                "2025-03-13T15:20:01Z",
            ),
            event(late, "2025-04-20T12:00:00Z"),
            claimed(MONTH, "2025-04-02", ("99490", 1), ("99439", 1)),
        ],
    )


def a_claim_supported_otherwise() -> Situation:
    return Situation(
        "a-claim-supported-otherwise",
        MONTH,
        [
            *ready(MONTH),
            staff("t1", "2025-03-05", 2_500),
            practitioner("t2", "2025-03-06", 1_900),
            claimed(MONTH, "2025-04-02", ("99490", 1), ("99439", 2)),
        ],
        Policy(selection="staff-first", pool_practitioner_time=False, date_of_service="month-end"),
    )


def a_clinic_in_its_year_of_change() -> Situation:
    figures = FigureSet(
        amounts=(
            LocalityAmount(
                "13202-01",
                "99490",
                day("2025-01-01"),
                day("2025-12-31"),
                Decimal("70"),
                Decimal("60"),
            ),
        )
    )
    return Situation(
        "a-clinic-in-its-year-of-change",
        "2025-09",
        [
            *with_enrolment(
                ready("2025-09"), provider_kind="rhc", locality="13202-01", setting="facility"
            ),
            staff("t1", "2025-09-05", 1_100),
            practitioner("t2", "2025-09-06", 200),
        ],
        Policy(pool_practitioner_time=False),
        RuleBook(BUILT_IN.with_figures(figures)),
    )


def a_price_set_for_the_place() -> Situation:
    figures = FigureSet(
        amounts=(
            LocalityAmount(
                "13202-01",
                "99490",
                day("2025-01-01"),
                day("2025-12-31"),
                Decimal("70.10"),
                Decimal("60"),
            ),
        )
    )
    return Situation(
        "a-price-set-for-the-place",
        MONTH,
        [
            *with_enrolment(
                ready(MONTH), locality="13202-01", billing_practitioner=f.Practitioner(NPI, "NP")
            ),
            staff("t1", "2025-03-05", 2_400),
        ],
        book=RuleBook(BUILT_IN.with_figures(figures)),
    )


def figures_that_are_not_known() -> Situation:
    return Situation(
        "figures-that-are-not-known",
        "2026-03",
        [
            *ready("2026-03"),
            staff("t1", "2026-03-05", 2_500),
            practitioner("t2", "2026-03-06", 1_900),
        ],
        Policy(qp=True, selection="highest-payment"),
    )


def a_claim_that_agrees() -> Situation:
    return Situation(
        "a-claim-that-agrees",
        MONTH,
        [
            *ready(MONTH),
            staff("t1", "2025-03-05", 1_300),
            claimed(MONTH, "2025-04-02", ("99490", 1)),
        ],
    )


def complex_without_anything() -> Situation:
    return Situation(
        "complex-without-anything", "2018-11", [*ready("2018-11"), staff("t1", "2018-11-05", 3_700)]
    )


def a_price_for_each_kind_of_practitioner() -> Situation:
    """From 2026 on figures may hold for one kind alone; these are for those in such a model."""
    year = (day("2026-01-01"), day("2026-12-31"))
    plain = LocalityAmount("13202-01", "99490", *year, Decimal("70"), Decimal("60"), qp=False)
    theirs = LocalityAmount("13202-01", "99490", *year, Decimal("71"), Decimal("61"), qp=True)
    units = (Decimal("0.70"), Decimal("0.76"), Decimal("0.20"), Decimal("0.05"))
    figures = FigureSet(
        amounts=(plain, theirs, replace(theirs, code="99491")),
        gpcis=(Gpci("13202-01", *year, Decimal("1.1"), Decimal("1.2"), Decimal("1.5")),),
        rvus=(Rvu("99439", *year, *units, qp=False), Rvu("99439", *year, *units[::-1], qp=True)),
    )
    return Situation(
        "a-price-for-each-kind-of-practitioner",
        "2026-03",
        [
            *with_enrolment(ready("2026-03"), locality="13202-01", setting="facility"),
            staff("t1", "2026-03-05", 2_500),
            practitioner("t2", "2026-03-06", 1_900),
        ],
        Policy(qp=True),
        RuleBook(BUILT_IN.with_figures(figures)),
    )


def a_figure_missing_ahead() -> Situation:
    return Situation(
        "a-figure-missing-ahead", "2026-03", [*ready("2026-03"), staff("t1", "2026-03-05", 1_300)]
    )


def a_claim_on_a_blocked_month() -> Situation:
    return Situation(
        "a-claim-on-a-blocked-month",
        MONTH,
        [
            *without(ready(MONTH), f.CarePlanRecorded),
            staff("t1", "2025-03-05", 1_300),
            claimed(MONTH, "2025-04-02"),
        ],
    )


def a_clinic_when_complex_care_began() -> Situation:
    return Situation(
        "a-clinic-when-complex-care-began",
        "2017-01",
        [
            *with_enrolment(ready("2017-01"), provider_kind="fqhc"),
            staff("t1", "2017-01-05", 3_700),
        ],
    )


def a_claim_without_ground() -> Situation:
    return Situation(
        "a-claim-without-ground",
        MONTH,
        [*ready(MONTH), claimed(MONTH, "2025-04-02", ("99490", 1))],
    )
