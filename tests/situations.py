"""Patient-months worth reading an explanation of: each requirement unmet, each way not to count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from domain import facts as f
from domain.event import Event
from domain.fees.figures import FigureSet, Gpci, LocalityAmount, Rvu
from domain.fees.schedule import BUILT_IN
from domain.policy import Policy
from domain.rules import BOOK, RuleBook
from tests.given import (
    NPI,
    OTHER_NPI,
    care_plan,
    clocked,
    condition,
    consent,
    day,
    enrolled,
    event,
    five_pm,
    instant,
    mdm,
    practitioner,
    ready,
    staff,
    unclocked,
    visit,
    voided,
)

MONTH = "2025-03"


@dataclass(frozen=True)
class Situation:
    """One patient-month worth reading about."""

    name: str
    month: str
    events: Sequence[Event]
    policy: Policy = field(default_factory=Policy)
    book: RuleBook = BOOK


# --- small words -----------------------------------------------------------------------------


def said(fact: f.Fact, on: str) -> Event:
    return event(fact, five_pm(on))


def billed(hcpcs: str, first: str, last: str, npi: str = NPI) -> Event:
    return said(f.ServiceBilled(hcpcs, day(first), day(last), npi), last)


def stay(kind: str, first: str, last: str | None = None) -> Event:
    return said(f.StayRecorded(kind, day(first), day(last) if last else None), first)  # type: ignore[arg-type]


def claimed(month: str, on: str, *codes: tuple[str, int]) -> Event:
    lines = tuple(f.CodeUnits(code, units) for code, units in codes)
    return said(f.MonthClaimed(month, lines, "c1", day(on)), on)


def odd(entry_id: str, on: str, **changes: object) -> Event:
    """Ten unclocked minutes of staff, but for what is named."""
    return said(replace(unclocked(entry_id, on, 600), **changes), on)  # type: ignore[arg-type]


def with_enrolment(events: Iterable[Event], **changes: object) -> list[Event]:
    return [
        event(replace(e.fact, **changes), e.time) if isinstance(e.fact, f.PatientEnrolled) else e  # type: ignore[arg-type]
        for e in events
    ]


def without(events: Iterable[Event], *kinds: type) -> list[Event]:
    return [one for one in events if not isinstance(one.fact, kinds)]


# --- the situations --------------------------------------------------------------------------


def everything_in_order() -> Situation:
    amended = f.TimeAmended(
        "t4",
        f.Performer("cl", f.Role.CLINICAL_STAFF),
        "x",
        f.Unclocked(day("2025-03-07"), 900),
        "typing error",
    )
    log = staff("t6", "2025-03-08", 60)
    return Situation(
        "everything-in-order",
        MONTH,
        [
            *with_enrolment(ready(MONTH), locality="13202-01", setting="facility"),
            mdm(MONTH, "high"),
            clocked("t1", "2025-03-05T10:00:00-05:00", "2025-03-05T10:40:00-05:00"),
            clocked(
                "t2",
                "2025-03-05T10:30:00-05:00",
                "2025-03-05T11:05:00-05:00",
                "billing_practitioner",
            ),
            practitioner("t3", "2025-03-06", 600),
            staff("t4", "2025-03-07", 300),
            event(amended, "2025-03-08T12:00:00Z"),
            staff("t5", "2025-03-08", 120),
            voided("t5", "2025-03-09T12:00:00Z"),
            log,
            event(f.EventRetracted(*log.key, "entered in error"), "2025-03-09T13:00:00Z"),
            clocked("t7", "2025-03-31T23:50:00-04:00", "2025-04-01T00:10:00-04:00"),
            visit("2025-03-05", "99213"),
            billed("99484", "2025-03-10", "2025-03-10"),
            billed("G0181", "2025-03-01", "2025-03-31", OTHER_NPI),
        ],
    )


def nobody_enrolled_the_patient() -> Situation:
    return Situation(
        "nobody-enrolled-the-patient",
        MONTH,
        [
            *without(ready(MONTH), f.PatientEnrolled),
            staff("t1", "2025-03-05", 1_300),
            mdm(MONTH),
        ],
    )


def nothing_on_record() -> Situation:
    return Situation("nothing-on-record", MONTH, [staff("t1", "2025-03-05", 1_300)])


def enrolment_over() -> Situation:
    return Situation(
        "enrolment-over",
        MONTH,
        [
            *ready("2024-03"),
            said(f.PatientDisenrolled(day("2024-06-30"), "moved"), "2024-06-30"),
            enrolled("2024-09-01", timezone="America/Chicago"),
            said(f.PatientDisenrolled(day("2025-02-28"), "moved"), "2025-02-28"),
            staff("t1", "2025-03-05", 1_300),
        ],
    )


def nearly_every_requirement() -> Situation:
    return Situation(
        "nearly-every-requirement",
        MONTH,
        [
            enrolled("2025-01-01", credential="RN", new_patient=True),
            consent("2025-01-01", OTHER_NPI),
            consent("2025-04-02"),
            consent("2025-03-31", OTHER_NPI),
            consent("2025-04-03", OTHER_NPI),
            condition("I10", "2025-01-01"),
            condition("E11.9", "2025-01-01", chronic=False),
            condition("I10.1", "2025-01-02"),
            condition("J44.9", "2025-01-02"),
            said(f.ConditionResolved("J44.9", day("2025-02-28")), "2025-02-28"),
            said(f.ConditionRecorded("N18.30", True, day("2025-04-01")), "2025-01-03"),
            said(f.CarePlanRecorded("reviewed", day("2025-02-01")), "2025-02-01"),
            care_plan("2025-04-01"),
            said(f.ConditionRecorded("F32.9", False, day("2025-03-31")), "2025-01-03"),
            said(f.ConditionRecorded("M54.5", False, day("2025-04-01")), "2025-01-03"),
            said(f.ConditionRecorded("G30.9", False), "2025-01-03"),
            said(f.ConditionResolved("G30.9", day("2025-03-01")), "2025-03-01"),
            visit("2024-01-01", npi=OTHER_NPI),
            visit("2025-03-31", "99211", OTHER_NPI),
            visit("2025-01-02", npi=OTHER_NPI),
            visit("2025-01-03", "99211"),
            visit("2025-01-04", discussed=False),
            visit("2023-12-31"),
            visit("2025-04-01"),
            staff("t1", "2025-03-05", 1_300),
        ],
    )


def everybody_needed_a_visit_and_a_signature() -> Situation:
    return Situation(
        "everybody-needed-a-visit-and-a-signature",
        "2016-05",
        [
            enrolled("2016-03-01"),
            consent("2016-03-01", method="verbal"),
            condition("I10", "2016-03-01"),
            condition("E11.9", "2016-03-01"),
            care_plan("2016-03-01"),
            visit("2016-03-01", discussed=False),
            staff("t1", "2016-05-05", 1_300),
        ],
    )


def others_in_the_month() -> Situation:
    return Situation(
        "others-in-the-month",
        MONTH,
        [
            *ready(MONTH),
            billed("G0181", "2025-03-01", "2025-03-31"),
            billed("99426", "2025-03-02", "2025-03-02"),
            billed("99490", "2025-03-31", "2025-03-31", OTHER_NPI),
            staff("t1", "2025-03-05", 1_300),
        ],
    )


def consent_taken_back() -> Situation:
    return Situation(
        "consent-taken-back",
        MONTH,
        [
            *ready(MONTH),
            consent("2024-12-01", OTHER_NPI),
            said(f.ConsentRevoked(day("2025-02-10")), "2025-02-10"),
            said(f.ConsentRevoked(day("2025-03-20")), "2025-03-20"),
            staff("t1", "2025-03-05", 1_300),
        ],
    )


def consent_renewed() -> Situation:
    return Situation(
        "consent-renewed",
        MONTH,
        [
            *ready(MONTH),
            said(f.ConsentRevoked(day("2025-02-10")), "2025-02-10"),
            consent("2025-03-04"),
            consent("2025-03-20"),
            staff("t1", "2025-03-03", 700),
            staff("t2", "2025-03-05", 700),
        ],
    )


def every_reason_not_to_count() -> Situation:
    month, nurse = "2019-03", f.Performer("cl", f.Role.CLINICAL_STAFF)
    return Situation(
        "every-reason-not-to-count",
        month,
        [
            enrolled("2019-03-02"),
            consent("2019-03-04"),
            visit("2019-03-06"),
            condition("I10", "2019-03-02"),
            condition("E11.9", "2019-03-02"),
            care_plan("2019-03-02"),
            *(
                staff(f"t{n:02d}", f"2019-03-{n:02d}", 600)
                for n in (1, 3, 5, 7, 9, 11, 13, 15, 27, 29)
            ),
            stay("inpatient", "2019-03-10", "2019-03-12"),
            stay("snf_part_a", "2019-03-12"),
            said(f.StayRecorded("snf_part_a", day("2019-03-12"), day("2019-03-14")), "2019-03-14"),
            stay("other", "2019-03-07", "2019-03-20"),
            billed("99495", "2019-03-15", "2019-03-24"),
            said(f.PatientDied(day("2019-03-28")), "2019-03-28"),
            odd("x1", "2019-03-07", program="rpm"),
            odd("x2", "2019-03-07", performer=f.Performer("ad", f.Role.NON_CLINICAL)),
            odd("x3", "2019-03-07", performer=replace(nurse, outside_us=True)),
            odd("x4", "2019-03-07", activity="training"),
            clocked("y1", "2019-03-08T10:00:00-05:00", "2019-03-08T10:10:00-05:00"),
            clocked("y2", "2019-03-08T10:05:00-05:00", "2019-03-08T10:15:00-05:00"),
            clocked("y3", "2019-03-08T10:15:00-05:00", "2019-03-08T10:20:00-05:00"),
            voided("x5", "2019-03-09T12:00:00Z"),
        ],
    )


def an_open_stay() -> Situation:
    return Situation(
        "an-open-stay",
        MONTH,
        [
            *ready(MONTH),
            stay("inpatient", "2025-03-10"),
            staff("t1", "2025-03-05", 600),
            staff("t2", "2025-03-20", 700),
            staff("t3", "2025-03-25", 700),
        ],
    )


def complex_without_its_plan() -> Situation:
    return Situation(
        "complex-without-its-plan",
        "2018-11",
        [
            *ready("2018-11"),
            mdm("2018-11"),
            staff("t1", "2018-11-05", 3_700),
        ],
    )


def complex_judged_by_another() -> Situation:
    return Situation(
        "complex-judged-by-another",
        MONTH,
        [
            *ready(MONTH),
            mdm(MONTH, npi=OTHER_NPI),
            staff("t1", "2025-03-05", 3_700),
        ],
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


def seconds_to_go() -> Situation:
    return Situation(
        "seconds-to-go",
        MONTH,
        [
            *ready(MONTH),
            said(f.ComplexityAssessed(MONTH, "low", NPI), "2025-03-15"),
            clocked("t1", "2025-03-05T10:00:00-05:00", "2025-03-05T10:15:00-05:00"),
            clocked("t2", "2025-03-05T10:10:00-05:00", "2025-03-05T10:16:00-05:00"),
            staff("t3", "2025-03-06", 225),
        ],
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


def one_condition_attested() -> Situation:
    return Situation(
        "one-condition-attested",
        MONTH,
        [
            *without(ready(MONTH), f.ConditionRecorded),
            condition("E11.9", "2025-01-01"),
            staff("t1", "2025-03-05", 1300),
        ],
    )


def one_condition_known() -> Situation:
    return Situation(
        "one-condition-known",
        MONTH,
        [
            *without(ready(MONTH), f.ConditionRecorded),
            condition("J44.9", "2025-01-01", False),
            staff("t1", "2025-03-05", 1300),
        ],
    )


def two_conditions_known() -> Situation:
    return Situation(
        "two-conditions-known",
        MONTH,
        [
            *without(ready(MONTH), f.ConditionRecorded),
            *(condition(code, "2025-01-01", False) for code in ("J44.9", "I50.9", "N18.30")),
            staff("t1", "2025-03-05", 1_300),
        ],
    )


def too_little_time_and_no_consent() -> Situation:
    return Situation(
        "too-little-time-and-no-consent",
        MONTH,
        [*without(ready(MONTH), f.ConsentRecorded), staff("t1", "2025-03-05", 300)],
    )


def an_earlier_consent_would_bring_more() -> Situation:
    return Situation(
        "an-earlier-consent-would-bring-more",
        MONTH,
        [
            *without(ready(MONTH), f.ConsentRecorded),
            consent("2025-03-10"),
            clocked("t0", "2025-03-09T23:50:00-04:00", "2025-03-10T00:10:00-04:00"),
            staff("t1", "2025-03-05", 1_300),
            staff("t2", "2025-03-15", 1_300),
        ],
    )


def between_two_enrolments() -> Situation:
    """The nearest one before the month serves for a new one."""
    return Situation(
        "between-two-enrolments",
        MONTH,
        [
            enrolled("2024-01-01", OTHER_NPI),
            said(f.PatientDisenrolled(day("2024-06-30"), "moved"), "2024-06-30"),
            *ready(MONTH),
            said(f.PatientDisenrolled(day("2025-02-10"), "moved"), "2025-02-10"),
            enrolled("2025-06-01", OTHER_NPI),
            staff("t1", "2025-03-05", 1_300),
        ],
    )


def a_change_of_practitioner_at_midnight() -> Situation:
    """Each half of the entry waits for the consent to its own practitioner."""
    return Situation(
        "a-change-of-practitioner-at-midnight",
        MONTH,
        [
            *without(ready(MONTH), f.ConsentRecorded),
            consent("2025-03-13"),
            enrolled("2025-03-12", OTHER_NPI),
            visit("2025-03-12", npi=OTHER_NPI),
            consent("2025-03-14", OTHER_NPI),
            clocked("t1", "2025-03-11T23:30:00-04:00", "2025-03-12T00:30:00-04:00"),
            staff("t2", "2025-03-15", 1_300),
        ],
    )


def a_change_of_practitioner_before_either_visit() -> Situation:
    return Situation(
        "a-change-of-practitioner-before-either-visit",
        MONTH,
        [
            *without(ready(MONTH), f.VisitRecorded),
            visit("2025-03-13"),
            enrolled("2025-03-12", OTHER_NPI),
            consent("2025-03-12", OTHER_NPI),
            visit("2025-03-14", npi=OTHER_NPI),
            clocked("t1", "2025-03-11T23:30:00-04:00", "2025-03-12T00:30:00-04:00"),
            staff("t2", "2025-03-15", 1_300),
        ],
    )


def who_was_there_first() -> Situation:
    """Time that cannot count takes no second from anybody, nor does time that only touches."""
    on = "2025-03-05T10"
    nurse = f.Performer("cl", f.Role.CLINICAL_STAFF)
    long = f.Clocked(instant(f"{on}:00:00-05:00"), instant(f"{on}:40:00-05:00"))
    return Situation(
        "who-was-there-first",
        MONTH,
        [
            *ready(MONTH),
            clocked("a0", "2025-03-05T09:00:00-05:00", "2025-03-05T09:30:00-05:00"),
            clocked("a1", f"{on}:00:00-05:00", f"{on}:10:00-05:00"),
            odd("a2", "2025-03-05", work=long, program="rpm"),
            odd("a3", "2025-03-05", work=long, activity="training", performer=nurse),
            clocked("a4", f"{on}:05:00-05:00", f"{on}:22:00-05:00"),
            clocked("a5", f"{on}:20:00-05:00", f"{on}:25:00-05:00"),
            clocked("a6", f"{on}:22:00-05:00", f"{on}:30:00-05:00"),
        ],
    )


def one_stay_after_another() -> Situation:
    """Each day is charged to the stays that cover it, to no other and not on its last day."""
    return Situation(
        "one-stay-after-another",
        "2019-03",
        [
            *ready("2019-03"),
            stay("inpatient", "2019-03-01", "2019-03-05"),
            stay("inpatient", "2019-03-05", "2019-03-08"),
            stay("snf_part_a", "2019-03-08", "2019-03-12"),
            stay("other", "2019-03-04", "2019-03-20"),
            *(staff(f"t{n:02d}", f"2019-03-{n:02d}", 600) for n in (1, 4, 5, 8, 12, 20, 22, 25)),
            billed("99495", "2019-03-20", "2019-03-22"),
            billed("99495", "2019-03-20", "2019-03-25", OTHER_NPI),
            billed("99214", "2019-03-20", "2019-03-25"),
        ],
    )


def a_long_month() -> Situation:
    """Units beyond one limit, and exactly at another."""
    return Situation(
        "a-long-month",
        MONTH,
        [
            *ready(MONTH),
            mdm(MONTH),
            practitioner("t1", "2025-03-05", 21_600),
            clocked(
                "t2",
                "2025-03-06T10:00:00-05:00",
                "2025-03-06T10:05:00-05:00",
                at="2025-03-13T15:05:00Z",
            ),
            clocked(
                "t3",
                "2025-03-07T10:00:00-05:00",
                "2025-03-07T10:01:00-05:00",
                at="2025-03-14T15:01:01Z",
            ),
            event(unclocked("t4", "2025-03-08", 60), "2025-04-02T20:00:00Z"),
            event(unclocked("t5", "2025-03-09", 60), "2025-04-03T20:00:00Z"),
            claimed(MONTH, "2025-04-02", ("99487", 1), ("99489", 4), ("99489", 6)),
        ],
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


def across_midnights() -> Situation:
    """A stay takes the days it covers and not a second of the next."""
    return Situation(
        "across-midnights",
        MONTH,
        [
            *ready(MONTH),
            stay("inpatient", "2025-03-12", "2025-03-14"),
            clocked("m1", "2025-03-11T23:30:00-04:00", "2025-03-12T00:30:00-04:00"),
            clocked("m2", "2025-03-12T23:00:00-04:00", "2025-03-13T00:00:00-04:00"),
            clocked("m3", "2025-03-13T00:00:00-04:00", "2025-03-13T00:20:00-04:00"),
            clocked("m4", "2025-03-13T23:30:00-04:00", "2025-03-14T00:30:00-04:00"),
        ],
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


def left_within_the_month() -> Situation:
    return Situation(
        "left-within-the-month",
        MONTH,
        [
            *ready(MONTH),
            consent("2025-02-01"),
            said(f.PatientDisenrolled(day("2025-03-20"), "moved"), "2025-03-20"),
            staff("t1", "2025-03-20", 1_200),
            staff("t2", "2025-03-21", 1_200),
        ],
    )


def a_claim_without_ground() -> Situation:
    return Situation(
        "a-claim-without-ground",
        MONTH,
        [*ready(MONTH), claimed(MONTH, "2025-04-02", ("99490", 1))],
    )


SITUATIONS = {
    make().name: make
    for make in (
        everything_in_order,
        nobody_enrolled_the_patient,
        nothing_on_record,
        enrolment_over,
        nearly_every_requirement,
        everybody_needed_a_visit_and_a_signature,
        others_in_the_month,
        consent_taken_back,
        consent_renewed,
        every_reason_not_to_count,
        an_open_stay,
        complex_without_its_plan,
        complex_judged_by_another,
        a_claim_no_longer_supported,
        a_claim_supported_otherwise,
        a_clinic_when_complex_care_began,
        a_clinic_in_its_year_of_change,
        a_price_set_for_the_place,
        figures_that_are_not_known,
        seconds_to_go,
        a_claim_that_agrees,
        complex_without_anything,
        one_condition_attested,
        one_condition_known,
        two_conditions_known,
        too_little_time_and_no_consent,
        an_earlier_consent_would_bring_more,
        between_two_enrolments,
        a_change_of_practitioner_at_midnight,
        a_change_of_practitioner_before_either_visit,
        who_was_there_first,
        one_stay_after_another,
        a_long_month,
        a_price_for_each_kind_of_practitioner,
        a_figure_missing_ahead,
        across_midnights,
        a_claim_on_a_blocked_month,
        left_within_the_month,
        a_claim_without_ground,
    )
}
