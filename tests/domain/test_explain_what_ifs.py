"""An explanation says what would change the answer, and it would."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from domain import facts as f
from domain.assess import assess
from domain.assess.assessment import Status
from domain.explain import explain
from domain.explain.remedies import latest
from domain.policy import Policy
from domain.rules import BOOK
from domain.rules.codes import Family
from tests.explaining import (
    MONTH,
    billed,
    claimed,
    explained,
    stay,
    what_ifs,
    without,
)
from tests.given import (
    condition,
    consent,
    day,
    enrolled,
    event,
    five_pm,
    folded,
    mdm,
    ready,
    staff,
    then,
    voided,
)


class TestWhatIfs:
    """Every suggestion is checked here by saying the fact for real."""

    def test_time_that_waits_for_a_consent_is_worth_nothing_yet(self) -> None:
        """Nothing blocks the month; what it would earn with an earlier consent it has not."""
        events = [
            *without(ready(MONTH), f.ConsentRecorded),
            consent("2025-03-04"),
            staff("t1", "2025-03-03", 700),
            staff("t2", "2025-03-05", 700),
        ]
        x = explained(events)
        assert (x.assessment.options, x.assessment.blockers) == ((), ())
        gains = {w.offered[0].code: w.change for w in what_ifs(x, "add-time")}
        assert gains == {"99490": Decimal("60.49"), "99491": Decimal("82.16")}
        assert not any("instead of" in w.sentence for w in what_ifs(x, "add-time"))
        assert what_ifs(x, "void-entry") == []
        assert [w.change for w in what_ifs(x, "record-consent")] == [Decimal("60.49")]

    def test_more_seconds_reach_the_next_unit_and_one_fewer_do_not(self) -> None:
        base = [*ready(MONTH), staff("t1", "2025-03-05", 3300)]
        (more,) = [w for w in what_ifs(explained(base), "add-time") if "-> 99439" in w.sentence]
        assert more.sentence.startswith("300 more staff seconds by 2025-03-31 -> 99439 unit 2")
        assert more.change == Decimal("45.93")
        assert more.by is not None
        assert more.seconds is not None
        after = then([*base, staff("t9", more.by, more.seconds)], MONTH)
        assert after.codes == more.codes == (f.CodeUnits("99490", 1), f.CodeUnits("99439", 2))
        short = then([*base, staff("t9", more.by, more.seconds - 1)], MONTH)
        assert short.codes != more.codes

    def test_more_time_is_offered_on_a_day_that_counts(self) -> None:
        out = event(f.PatientDisenrolled(day("2025-03-20"), "moved"), five_pm("2025-03-20"))
        x = explained([*ready(MONTH), out, staff("t1", "2025-03-05", 900)])
        assert {w.by for w in what_ifs(x, "add-time")} == {date(2025, 3, 20)}

    def test_a_step_to_another_family_tells_what_the_policy_would_select(self) -> None:
        x = explained([*ready(MONTH), staff("t1", "2025-03-05", 3600)])
        (more,) = [w for w in what_ifs(x, "add-time") if "-> 99491" in w.sentence]
        assert more.family is Family.PRACTITIONER
        assert "instead of 99490 + 99439 x2 (-70.19)" in more.sentence

    def test_a_consent_serves_through_its_day_and_not_a_day_longer(self) -> None:
        base = [
            *without(ready(MONTH), f.ConsentRecorded),
            staff("t1", "2025-03-05", 600),
            staff("t2", "2025-03-09", 1200),
        ]
        (wanted,) = what_ifs(explained(base), "record-consent")
        assert wanted.by == date(2025, 3, 9)
        assert wanted.change == Decimal("60.49")
        assert then([*base, consent(wanted.by)], MONTH).codes == wanted.codes
        after = then([*base, consent(wanted.by + timedelta(days=1))], MONTH)
        assert after.codes != wanted.codes

    def test_several_blockers_are_lifted_one_by_one_and_all_together(self) -> None:
        base = [enrolled("2025-01-01"), staff("t1", "2025-03-05", 1260)]
        x = explained(base)
        for alone in ("record-consent", "record-visit", "record-care-plan", "attest-condition"):
            (one,) = what_ifs(x, alone)
            assert len(one.blockers) == 3
            assert "still blocked" in one.sentence
        (together,) = what_ifs(x, "all-of-these")
        assert (together.status, together.blockers) == ("billable", ())
        assert together.by == date(2025, 3, 5)
        said = [e for e in ready(MONTH) if not isinstance(e.fact, f.PatientEnrolled)]
        assert then([*base, *said], MONTH).codes == together.codes

    def test_a_recorded_condition_is_suggested_for_attestation(self) -> None:
        base = [
            *[e for e in ready(MONTH) if e.fact != f.ConditionRecorded("E11.9", True)],
            condition("E78.5", "2025-02-01", chronic=False),
            staff("t1", "2025-03-05", 1260),
        ]
        (wanted,) = what_ifs(explained(base), "attest-condition")
        assert wanted.sentence.startswith("attesting E78.5 as chronic -> 99490")
        attested = event(f.ConditionRecorded("E78.5", True), "2025-04-01T12:00:00Z")
        assert then([*base, attested], MONTH).codes == wanted.codes

    def test_a_revoked_consent_wants_a_new_one(self) -> None:
        revoked = event(f.ConsentRevoked(day("2025-02-10")), five_pm("2025-02-10"))
        base = [*ready(MONTH), revoked, staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "record-consent")
        assert then([*base, consent(wanted.by or "")], MONTH).codes == wanted.codes

    def test_a_conflicting_service_would_have_to_be_withdrawn(self) -> None:
        other = billed("99424", "2025-03-01", "2025-03-31")
        base = [*ready(MONTH), other, staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "withdraw-service")
        gone = event(f.EventRetracted(other.source, other.id, "x"), "2025-04-01T12:00:00Z")
        assert then([*base, gone], MONTH).codes == wanted.codes == (f.CodeUnits("99490", 1),)

    def test_an_enrolment_is_wanted_where_none_covers_the_month(self) -> None:
        base = [*without(ready(MONTH), f.PatientEnrolled), staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "record-enrolment")
        assert wanted.by is not None
        assert then([*base, enrolled(wanted.by)], MONTH).codes == wanted.codes
        assert wanted.codes == (f.CodeUnits("99490", 1),)

    def test_an_open_stay_wants_its_discharge(self) -> None:
        base = [*ready(MONTH), stay("inpatient", "2025-03-02"), staff("t1", "2025-03-05", 1260)]
        (wanted,) = what_ifs(explained(base), "record-discharge")
        assert wanted.by == date(2025, 3, 5)
        home = event(
            f.StayRecorded("inpatient", day("2025-03-02"), wanted.by), "2025-03-05T18:00:00Z"
        )
        assert then([*base, home], MONTH).codes == wanted.codes

    def test_voiding_an_entry_that_a_unit_hangs_on_loses_it(self) -> None:
        base = [
            *ready(MONTH),
            staff("t1", "2025-03-05", 1200),
            staff("t2", "2025-03-06", 800),
            staff("t3", "2025-03-07", 400),
        ]
        losses = what_ifs(explained(base), "void-entry")
        one = next(w for w in losses if "t3" in w.entry_ids)
        assert sorted(e for loss in losses for e in loss.entry_ids) == ["t1", "t2", "t3"]
        for loss in losses:
            for entry_id in loss.entry_ids:
                after = then([*base, voided(entry_id, "2025-04-01T12:00:00Z")], MONTH)
                assert after.codes == loss.codes
        assert "t3 (-400 s)" in one.sentence
        assert one.change == Decimal("-45.93")

    def test_an_entry_that_nothing_hangs_on_is_not_listed(self) -> None:
        x = explained(
            [*ready(MONTH), staff("t1", "2025-03-05", 1260), staff("t2", "2025-03-06", 9)]
        )
        assert [w.entry_ids for w in what_ifs(x, "void-entry")] == [("t1",)]

    def test_a_decision_making_would_offer_the_complex_family(self) -> None:
        base = [*ready(MONTH), staff("t1", "2025-03-05", 5400)]
        (wanted,) = what_ifs(explained(base), "assess-complexity")
        assert then([*base, mdm(MONTH)], MONTH).codes == wanted.codes
        assert wanted.change == Decimal("202.17") - Decimal("152.35")

    def test_complex_in_2018_wants_the_decision_making_and_the_plan(self) -> None:
        base = [*ready("2018-05"), staff("t1", "2018-05-05", 3600)]
        (wanted,) = what_ifs(explained(base, "2018-05"), "assess-complexity")
        assert "care plan revised" in wanted.sentence
        revised = event(f.CarePlanRecorded("revised", day("2018-05-31")), five_pm("2018-05-31"))
        assert then([*base, mdm("2018-05"), revised], "2018-05").codes == wanted.codes

    def test_a_diverged_claim_wants_the_claim_that_the_facts_support(self) -> None:
        base = [
            *ready(MONTH),
            staff("t1", "2025-03-05", 1260),
            claimed(MONTH, "2025-04-02", ("99490", 1), ("99439", 1)),
        ]
        x = explained(base)
        assert x.assessment.status is Status.DIVERGED
        (wanted,) = what_ifs(x, "correct-claim")
        again = claimed(MONTH, "2025-04-09", *((c.code, c.units) for c in wanted.offered))
        assert then([*base, again], MONTH).status is Status.CLAIMED

    def test_the_patient_that_is_explained_is_not_changed(self) -> None:
        patient = folded([*ready(MONTH), staff("t1", "2025-03-05", 1260)])
        before = (patient.version, dict(patient.events), assess(patient, MONTH, BOOK, Policy()))
        explain(patient, MONTH, BOOK, Policy())
        explain(patient, MONTH, BOOK, Policy())
        assert before == (
            patient.version,
            dict(patient.events),
            assess(patient, MONTH, BOOK, Policy()),
        )

    def test_the_last_day_that_serves_is_found_whichever_it_is(self) -> None:
        first, last = date(2025, 3, 1), date(2025, 3, 31)
        for number in range(31):
            limit = first + timedelta(days=number)
            assert latest(first, last, lambda d, limit=limit: d <= limit) == limit  # type: ignore[misc]
