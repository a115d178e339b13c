"""What the stored envelopes of `golden/events_v1.jsonl` say, for ever, line by line."""

from __future__ import annotations

from datetime import date

from domain import facts as f

NPI = "1000000004"
_NURSE = f.Performer("rn1", f.Role.CLINICAL_STAFF, outside_us=True)
_DOCTOR = f.Performer("md1", f.Role.BILLING_PRACTITIONER)

FACTS: dict[str, f.Fact] = {
    "patient.enrolled.v1": f.PatientEnrolled(
        date(2025, 1, 1),
        "America/New_York",
        f.Practitioner(NPI, "MD"),
        "fqhc",
        "facility",
        "13202-01",
        True,
    ),
    "patient.disenrolled.v1": f.PatientDisenrolled(date(2025, 6, 30), "moved — “away”\n\\"),
    "patient.died.v1": f.PatientDied(date(2025, 6, 30)),
    "consent.recorded.v1": f.ConsentRecorded(date(2025, 1, 1), "verbal", NPI),
    "consent.revoked.v1": f.ConsentRevoked(date(2025, 2, 1)),
    "condition.recorded.v1": f.ConditionRecorded("E11.9", True, date(2019, 5, 1)),
    "condition.resolved.v1": f.ConditionResolved("E11.9", date(2025, 2, 1)),
    "care_plan.recorded.v1": f.CarePlanRecorded("shared", date(2025, 1, 2), "doc-1"),
    "visit.recorded.v1": f.VisitRecorded(date(2025, 1, 1), "99214", NPI, True),
    "time.logged.v1": f.TimeLogged(
        "t1", _NURSE, "care_coordination", f.Clocked(1_741_186_800, 1_741_187_999), "rpm"
    ),
    "time.amended.v1": f.TimeAmended(
        "t1", _DOCTOR, "chart_review", f.Unclocked(date(2025, 3, 5), 1200), "wrong length", "ccm"
    ),
    "time.voided.v1": f.TimeVoided("t1", "wrong patient"),
    "complexity.assessed.v1": f.ComplexityAssessed("2025-03", "moderate", NPI),
    "service.billed.v1": f.ServiceBilled("G0181", date(2025, 3, 1), date(2025, 3, 31), NPI),
    "stay.recorded.v1": f.StayRecorded("snf_part_a", date(2025, 3, 1), None),
    "month.claimed.v1": f.MonthClaimed(
        "2025-03",
        (f.CodeUnits("99490", 1), f.CodeUnits("99439", 2)),
        "c1",
        date(2025, 4, 2),
    ),
    "month.reopened.v1": f.MonthReopened("2025-03", "claim rejected"),
    "event.retracted.v1": f.EventRetracted("//ehr.example/time", "e10", "entered in error"),
    "identity.linked.v1": f.IdentityLinked("https://ehr.example/fhir/Patient", "a-1.b"),
    "patient.merged.v1": f.PatientMerged("pt-7"),
}
