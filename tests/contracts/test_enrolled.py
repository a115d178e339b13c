"""Whom the passing of time can concern: the same answers from every store."""

from __future__ import annotations

from infra.eventstore.enrolled import open_enrolled
from projections.ports import FOREVER, AlertState, EnrolledMonths, Store, TransitionRow
from tests.contracts.made import assessment, batch, event, stream

NY, LA = "America/New_York", "America/Los_Angeles"
MARCH = "2025-03"


def enrol(store: Store, patient: str, *months: EnrolledMonths, practice: str = "p1") -> None:
    where = stream(patient, practice)
    store.commit(batch(event(1, patient, practice=practice), enrolled={where: list(months)}))


def stands(store: Store, patient: str, type: str, month: str = MARCH, number: int = 1) -> None:
    state = AlertState(f"{patient}-{type}-{month}", month, type, "99490", 1, number, number == 1)
    row = TransitionRow(stream(patient), "p1", patient, state, 1, b"{}")
    store.commit(batch(transitions=[row]))


def short(
    store: Store, zone: str = NY, month: str = MARCH, after: str = "", n: int = 9
) -> list[str]:
    return open_enrolled(store).short_in("p1", zone, month, after, n)


def watched(store: Store, month: str = MARCH) -> list[str]:
    return open_enrolled(store).watched_in("p1", NY, month, "", 9)


def test_zones_are_those_of_every_enrolment_by_practice(store: Store) -> None:
    assert open_enrolled(store).zones() == []
    enrol(store, "a", EnrolledMonths(NY, "2025-01", "2025-02"), EnrolledMonths(LA, MARCH, FOREVER))
    enrol(store, "b", EnrolledMonths(NY, "2025-01", FOREVER))
    enrol(store, "c", EnrolledMonths(NY, "2025-01", FOREVER), practice="p 2")
    assert open_enrolled(store).zones() == [("p 2", NY), ("p1", LA), ("p1", NY)]


def test_short_are_the_enrolled_who_earned_nothing_and_do_not_stand_at_risk(store: Store) -> None:
    for patient in "abcdefg":
        enrol(store, patient, EnrolledMonths(NY, "2025-01", FOREVER))
    statuses = {"b": "accruing", "c": "billable", "d": "blocked", "e": "claimed", "f": "diverged"}
    rows = [assessment(patient, status=status) for patient, status in statuses.items()]
    store.commit(batch(assessments=[*rows, assessment("a", "2025-02", status="billable")]))
    assert short(store) == ["p1/a", "p1/b", "p1/f", "p1/g"]
    stands(store, "a", "month.at-risk")
    stands(store, "g", "month.at-risk", "2025-02")
    stands(store, "b", "threshold.approaching")
    assert short(store) == ["p1/b", "p1/f", "p1/g"]
    stands(store, "a", "month.at-risk", number=2)
    assert short(store) == ["p1/a", "p1/b", "p1/f", "p1/g"]


def test_enrolled_are_only_those_of_the_zone_and_the_month_page_by_page(store: Store) -> None:
    enrol(store, "a", EnrolledMonths(NY, "2025-01", "2025-02"))
    enrol(store, "b", EnrolledMonths(NY, "2025-04", FOREVER))
    enrol(store, "c", EnrolledMonths(LA, "2025-01", FOREVER))
    enrol(store, "d", EnrolledMonths(NY, MARCH, MARCH))
    enrol(store, "e", EnrolledMonths(NY, "2025-01", MARCH), EnrolledMonths(NY, MARCH, FOREVER))
    enrol(store, "f", EnrolledMonths(NY, "2025-01", FOREVER), practice="p2")
    assert short(store) == ["p1/d", "p1/e"]
    assert short(store, LA) == ["p1/c"]
    assert (short(store, n=1), short(store, after="p1/d", n=1)) == (["p1/d"], ["p1/e"])
    assert short(store, month="2025-04") == ["p1/b", "p1/e"]


def test_watched_are_those_with_an_alert_that_the_months_end_resolves(store: Store) -> None:
    for patient in "abcde":
        enrol(store, patient, EnrolledMonths(NY, "2025-01", FOREVER))
    stands(store, "a", "threshold.approaching")
    stands(store, "b", "month.at-risk")
    stands(store, "b", "threshold.approaching")
    stands(store, "c", "threshold.reached")
    stands(store, "d", "threshold.approaching", "2025-02")
    stands(store, "e", "month.at-risk")
    stands(store, "e", "month.at-risk", number=2)
    assert watched(store) == ["p1/a", "p1/b"]
    assert watched(store, "2025-02") == ["p1/d"]


def test_what_is_written_of_a_patient_takes_the_place_of_what_was(store: Store) -> None:
    enrol(store, "a", EnrolledMonths(NY, "2025-01", FOREVER), EnrolledMonths(LA, MARCH, FOREVER))
    enrol(store, "b", EnrolledMonths(NY, "2025-01", FOREVER))
    again = {stream("a"): [EnrolledMonths(LA, "2025-01", FOREVER)], stream("b"): []}
    store.commit(batch(enrolled=again))
    assert open_enrolled(store).zones() == [("p1", LA)]
    assert open_enrolled(store).unknown("", 9) == ["p1/b"]


def test_unknown_are_patients_of_whom_no_enrolment_is_noted(store: Store) -> None:
    enrol(store, "b", EnrolledMonths(NY, "2025-01", FOREVER))
    store.commit(batch(event(1, "a"), event(1, "c")))
    assert open_enrolled(store).unknown("", 9) == ["p1/a", "p1/c"]
    assert open_enrolled(store).unknown("p1/a", 9) == ["p1/c"]
    assert open_enrolled(store).unknown("", 1) == ["p1/a"]


def test_a_transition_keeps_why_it_is_not_delivered_and_its_alert_that_it_stands_silent(
    store: Store,
) -> None:
    state = AlertState("x", MARCH, "threshold.reached", "99490", 1, 1, True, silent=True)
    silent = TransitionRow(stream(), "p1", "pt1", state, 1, b"{}", suppressed="history")
    store.commit(batch(event(1), transitions=[silent]))
    assert store.transitions(0, 9) == [silent._replace(position=1)]
    assert store.load([stream()])[stream()].alerts == [state]
    ended = state._replace(transition=2, raised=False, silent=False)
    row = silent._replace(state=ended, suppressed="never-raised")
    store.commit(batch(event(2), transitions=[row]))
    assert store.transitions(1, 9) == [row._replace(position=2)]
    raised = state._replace(transition=3, silent=False)
    seen = silent._replace(state=raised, suppressed=None)
    store.commit(batch(event(3), transitions=[seen]))
    assert store.transitions(2, 9) == [seen._replace(position=3)]
    assert store.load([stream()])[stream()].alerts == [raised]
