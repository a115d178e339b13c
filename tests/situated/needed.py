"""Months that lack something they need, and those that only just have it."""

from __future__ import annotations

from domain import facts as f
from tests.given import (
    OTHER_NPI,
    care_plan,
    clocked,
    condition,
    consent,
    day,
    enrolled,
    event,
    mdm,
    practitioner,
    ready,
    staff,
    visit,
    voided,
)
from tests.situated.words import (
    MONTH,
    Situation,
    billed,
    said,
    with_enrolment,
    without,
)


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
