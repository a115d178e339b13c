"""Months whose seconds do not all count, or not where they were spent."""

from __future__ import annotations

from dataclasses import replace

from domain import facts as f
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
    instant,
    mdm,
    practitioner,
    ready,
    staff,
    unclocked,
    visit,
    voided,
)
from tests.situated.words import (
    MONTH,
    Situation,
    billed,
    claimed,
    odd,
    said,
    stay,
    without,
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
