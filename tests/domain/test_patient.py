"""The patient as decider: what is new, what is a repetition, what stands after corrections."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from domain import facts as f
from domain.assess import assess
from domain.event import Event
from domain.patient import Accepted, Duplicate, Patient, Refused, decide, evolve, months_touched
from domain.policy import Policy
from domain.rejections import Reason
from domain.rules import BOOK
from tests.given import NPI, clocked, event, folded, ready, staff, then, unclocked, voided

MONTH = "2025-03"


def retracted(key: tuple[str, str], at: str, id: str | None = None) -> Event:
    return event(f.EventRetracted(key[0], key[1], "entered in error"), at, id)


def amended(entry_id: str, seconds: int, at: str) -> Event:
    logged = unclocked(entry_id, "2025-03-05", seconds)
    fact = f.TimeAmended(entry_id, logged.performer, logged.activity, logged.work, "typing error")
    return event(fact, at)


class TestDecide:
    def test_a_new_event_is_accepted(self) -> None:
        assert isinstance(decide(Patient("p1", "pt1"), staff("t1", "2025-03-05", 60)), Accepted)

    def test_the_same_event_again_is_a_duplicate_however_late(self) -> None:
        patient = folded([staff("t1", "2025-03-05", 60), voided("t1", "2025-09-01T12:00:00Z")])
        assert isinstance(decide(patient, staff("t1", "2025-03-05", 60)), Duplicate)

    def test_other_content_under_a_known_id_is_refused_and_names_the_field(self) -> None:
        first = event(unclocked("t1", "2025-03-05", 60), "2025-03-05T17:00:00Z", id="e-1")
        other = event(unclocked("t1", "2025-03-05", 61), "2025-03-05T17:00:00Z", id="e-1")
        decision = decide(evolve(Patient("p1", "pt1"), first), other)
        assert isinstance(decision, Refused)
        assert decision.rejection.reason is Reason.CONFLICTING_DUPLICATE
        assert decision.rejection.field == "id"
        assert decision.rejection.sentence == (
            "id: expected a new id for new content; found a source and id that are stored "
            "already, with other content."
        )


class TestRevisions:
    """Facts about one thing are a set of revisions; the greatest time, source, id stands."""

    def test_an_amendment_that_arrives_before_its_entry_takes_effect(self) -> None:
        log = staff("t1", "2025-03-05", 1260)
        change = amended("t1", 960, "2025-03-06T12:00:00Z")
        answers = {
            then([*ready(MONTH), *order], MONTH).seconds for order in permutations([log, change])
        }
        assert {answer.pooled for answer in answers} == {960}

    def test_a_void_that_arrives_before_its_entry_takes_effect(self) -> None:
        events = [voided("t1", "2025-03-06T12:00:00Z"), staff("t1", "2025-03-05", 1260)]
        assert then([*ready(MONTH), *events], MONTH).seconds.logged == 0

    def test_of_two_amendments_with_one_time_the_greater_id_stands(self) -> None:
        at = "2025-03-06T12:00:00Z"
        logged = unclocked("t1", "2025-03-05", 700)
        facts = [
            f.TimeAmended(
                "t1",
                logged.performer,
                logged.activity,
                f.Unclocked(logged.work.performed_on, n),
                "x",
            )  # type: ignore[union-attr]
            for n in (100, 200)
        ]
        low, high = event(facts[0], at, id="a"), event(facts[1], at, id="b")
        for order in permutations([low, high, staff("t1", "2025-03-05", 700)]):
            assert then([*ready(MONTH), *order], MONTH).seconds.pooled == 200

    def test_a_log_later_than_the_void_stands_again(self) -> None:
        again = event(unclocked("t1", "2025-03-05", 300), "2025-03-08T12:00:00Z")
        events = [staff("t1", "2025-03-05", 1260), voided("t1", "2025-03-06T12:00:00Z"), again]
        assert then([*ready(MONTH), *events], MONTH).seconds.pooled == 300


class TestRetractions:
    def test_a_retraction_withdraws_its_event_whichever_arrives_first(self) -> None:
        log = staff("t1", "2025-03-05", 1260)
        withdraw = retracted(log.key, "2025-03-07T12:00:00Z")
        for order in permutations([log, withdraw]):
            assert then([*ready(MONTH), *order], MONTH).seconds.logged == 0

    def test_an_entry_withdrawn_before_it_comes_changes_nothing_of_the_month(
        self,
    ) -> None:
        log = staff("t2", "2025-03-06", 1260)
        patient = folded([*ready(MONTH), staff("t1", "2025-03-05", 600)])
        evolve(patient, retracted(log.key, "2025-03-07T12:00:00Z"))
        assert assess(patient, MONTH, BOOK, Policy()).seconds.logged == 600
        evolve(patient, log)
        assert assess(patient, MONTH, BOOK, Policy()).seconds.logged == 600

    def test_retracting_a_void_restores_the_entry(self) -> None:
        log, void = staff("t1", "2025-03-05", 1260), voided("t1", "2025-03-06T12:00:00Z")
        withdraw = retracted(void.key, "2025-03-07T12:00:00Z")
        for order in permutations([log, void, withdraw]):
            assert then([*ready(MONTH), *order], MONTH).seconds.pooled == 1260

    def test_retracting_a_retraction_restores_what_it_withdrew(self) -> None:
        log = staff("t1", "2025-03-05", 1260)
        first = retracted(log.key, "2025-03-07T12:00:00Z")
        second = retracted(first.key, "2025-03-08T12:00:00Z")
        for order in permutations([log, first, second]):
            assert then([*ready(MONTH), *order], MONTH).seconds.pooled == 1260

    def test_a_retraction_that_is_itself_withdrawn_has_no_effect_though_it_is_the_later(
        self,
    ) -> None:
        log = staff("t1", "2025-03-05", 1260)
        first = retracted(log.key, "2025-03-09T12:00:00Z")
        second = retracted(first.key, "2025-03-08T12:00:00Z")
        for order in permutations([log, first, second]):
            assert then([*ready(MONTH), *order], MONTH).seconds.pooled == 1260

    def test_retractions_that_name_each_other_are_settled_without_regard_to_arrival(self) -> None:
        log = staff("t1", "2025-03-05", 1260)
        first = retracted((log.source, "r2"), "2025-03-07T12:00:00Z", id="r1")
        second = retracted((log.source, "r1"), "2025-03-08T12:00:00Z", id="r2")
        third = retracted(log.key, "2025-03-09T12:00:00Z", id="r3")
        answers = {
            then([*ready(MONTH), *order], MONTH).seconds.logged
            for order in permutations([log, first, second, third])
        }
        assert answers == {0}

    def test_retracting_a_consent_brings_its_blocker_back(self) -> None:
        base = ready(MONTH)
        consent = next(e for e in base if isinstance(e.fact, f.ConsentRecorded))
        events = [*base, staff("t1", "2025-03-05", 1260)]
        assert then(events, MONTH).blockers == ()
        gone = retracted(consent.key, "2025-03-07T12:00:00Z")
        assert then([*events, gone], MONTH).blockers == ("consent-missing",)


EVERY_MONTH = {"2024-11", "2025-01", "2025-03"}
EARLY_MONTHS = {"2024-11", "2025-01"}


class TestMonthsTouched:
    def test_time_near_a_month_edge_touches_both_months(self) -> None:
        log = clocked("t1", "2025-02-01T01:30:00Z", "2025-02-01T01:50:00Z")
        assert months_touched(folded([log]), log) == {"2025-01", "2025-02"}

    def test_a_correction_touches_the_month_it_moves_the_time_out_of(self) -> None:
        logged = unclocked("t1", "2025-04-05", 60)
        fact = f.TimeAmended("t1", logged.performer, logged.activity, logged.work, "wrong month")
        moved = event(fact, "2025-04-05T20:00:00Z")
        patient = folded([staff("t1", "2025-03-05", 60), moved])
        assert months_touched(patient, moved) == {"2025-03", "2025-04"}

    @pytest.mark.parametrize(
        ("fact", "months"),
        [
            (f.ConsentRecorded(date(2025, 1, 31), "written", NPI), {"2025-01", "2025-03"}),
            (f.ConsentRevoked(date(2025, 1, 31)), {"2025-01", "2025-03"}),
            (f.CarePlanRecorded("established", date(2025, 3, 31)), {"2025-03"}),
            (f.VisitRecorded(date(2024, 11, 30), "99214", NPI), EVERY_MONTH),
            (f.ServiceBilled("99495", date(2024, 11, 30), date(2025, 1, 1), NPI), EARLY_MONTHS),
            (f.StayRecorded("inpatient", date(2025, 2, 27)), {"2025-03"}),
            (f.ComplexityAssessed("2025-01", "moderate", NPI), {"2025-01"}),
            (f.MonthClaimed("2025-01", (), "c1", date(2025, 4, 1)), {"2025-01"}),
            (f.MonthReopened("2025-01", "x"), {"2025-01"}),
            (f.ConditionRecorded("I10", True), EVERY_MONTH),
            (f.PatientDied(date(2025, 6, 1)), EVERY_MONTH),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_a_fact_that_comes_late_touches_the_months_with_time_it_can_bear_on(
        self, fact: f.Fact, months: set[f.Month]
    ) -> None:
        late = event(fact, "2025-07-01T12:00:00Z")
        worked = [staff(f"t{n}", f"{month}-05", 60) for n, month in enumerate(sorted(EVERY_MONTH))]
        assert months_touched(folded([*worked, late]), late) == months

    @pytest.mark.parametrize("first", ["log", "retraction"])
    def test_a_retraction_touches_what_it_withdraws(self, first: str) -> None:
        log = staff("t1", "2025-03-05", 60)
        withdraw = retracted(log.key, "2025-03-07T12:00:00Z")
        patient = folded([log, withdraw] if first == "log" else [withdraw, log])
        expected = {"2025-03"}
        assert months_touched(patient, withdraw) == expected
        assert months_touched(patient, log) == expected
