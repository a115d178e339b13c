"""The oracle itself, held against answers worked out by hand."""

from __future__ import annotations

from typing import Any

from domain import facts as f
from domain.event import Event
from domain.policy import Policy
from tests import given, oracle


def answer(events: list[Event], month: str, **policy: Any) -> dict[str, Any]:
    return oracle.assess(events, month, Policy(**policy))


def codes(found: dict[str, Any]) -> dict[str, int]:
    return {c["code"]: c["units"] for c in found["codes"]}


def test_the_example_of_the_contract_comes_out_as_printed() -> None:
    """52 minutes logged, ten of them at once with another: 99490 + 99439, 18 minutes to go."""
    events = [
        *given.ready("2025-03"),
        given.clocked("t1", "2025-03-10T10:00:00-04:00", "2025-03-10T10:30:00-04:00"),
        given.clocked("t3", "2025-03-10T10:20:00-04:00", "2025-03-10T10:30:00-04:00"),
        given.clocked("t4", "2025-03-21T10:00:00-04:00", "2025-03-21T10:12:00-04:00"),
    ]
    found = answer(events, "2025-03")
    assert codes(found) == {"99490": 1, "99439": 1}
    assert found["date_of_service"] == "2025-03-21"
    assert found["excluded"] == [{"entry_id": "t3", "seconds": 600, "reason": "overlap"}]
    assert found["seconds"] == {
        "logged": 3120,
        "clinical_staff": 2520,
        "practitioner": 0,
        "pooled": 2520,
        "excluded": 600,
    }
    assert {
        "family": "non-complex",
        "code": "99439",
        "unit": 2,
        "seconds_to_go": 1080,
    } in found["next"]


def test_one_second_short_earns_nothing() -> None:
    ready = given.ready("2025-03")
    assert codes(answer([*ready, given.staff("t", "2025-03-05", 1199)], "2025-03")) == {}
    assert codes(answer([*ready, given.staff("t", "2025-03-05", 1200)], "2025-03")) == {"99490": 1}


def test_the_spring_night_is_an_hour_shorter_and_the_autumn_night_an_hour_longer() -> None:
    ready = given.ready("2025-03") + given.ready("2025-11")
    spring = given.clocked("s", "2025-03-09T01:30:00-05:00", "2025-03-09T03:30:00-04:00")
    autumn = given.clocked("a", "2025-11-02T01:30:00-04:00", "2025-11-02T02:30:00-05:00")
    assert answer([*ready, spring], "2025-03")["seconds"]["logged"] == 3600
    assert answer([*ready, autumn], "2025-11")["seconds"]["logged"] == 7200


def test_an_entry_across_month_end_is_split_at_local_midnight() -> None:
    events = [
        *given.ready("2025-01"),
        given.clocked("t", "2025-01-31T23:50:00-05:00", "2025-02-01T00:15:00-05:00"),
    ]
    assert answer(events, "2025-01")["seconds"]["logged"] == 600
    assert answer(events, "2025-02")["seconds"]["logged"] == 900


def test_a_retracted_retraction_has_no_effect() -> None:
    logged = given.staff("t", "2025-03-05", 1200)
    first = given.event(f.EventRetracted(logged.source, logged.id, "error"), "2025-03-06T00:00Z")
    second = given.event(f.EventRetracted(first.source, first.id, "error"), "2025-03-07T00:00Z")
    ready = given.ready("2025-03")
    assert codes(answer([*ready, logged, first], "2025-03")) == {}
    assert codes(answer([*ready, second, first, logged], "2025-03")) == {"99490": 1}


def test_a_void_is_a_revision_and_a_later_amendment_outdoes_it() -> None:
    logged = given.staff("t", "2025-03-05", 1200)
    void = given.voided("t", "2025-03-06T00:00:00Z")
    amended = given.event(
        f.TimeAmended(
            "t",
            f.Performer("rn", f.Role.CLINICAL_STAFF),
            "care_coordination",
            f.Unclocked(given.day("2025-03-05"), 2400),
            "meant another",
        ),
        "2025-03-07T00:00:00Z",
    )
    ready = given.ready("2025-03")
    assert answer([*ready, logged, void], "2025-03")["seconds"]["logged"] == 0
    assert codes(answer([*ready, amended, void, logged], "2025-03")) == {"99490": 1, "99439": 1}


def test_a_revocation_holds_from_the_month_after() -> None:
    revoked = given.event(f.ConsentRevoked(given.day("2025-03-02")), "2025-03-02T17:00:00Z")
    events = [
        *given.ready("2025-03"),
        revoked,
        given.staff("t1", "2025-03-20", 1200),
        given.staff("t2", "2025-04-20", 1200),
    ]
    assert answer(events, "2025-03")["status"] == "billable"
    assert answer(events, "2025-04")["blockers"] == ["consent-revoked"]
    assert answer(events, "2025-04")["status"] == "blocked"


def test_the_later_starting_of_two_pays_for_the_overlap_across_roles() -> None:
    events = [
        *given.ready("2025-03"),
        given.clocked(
            "md",
            "2025-03-10T10:00:00-04:00",
            "2025-03-10T10:30:00-04:00",
            role="billing_practitioner",
        ),
        given.clocked("rn", "2025-03-10T10:10:00-04:00", "2025-03-10T10:40:00-04:00"),
    ]
    found = answer(events, "2025-03")
    assert found["excluded"] == [{"entry_id": "rn", "seconds": 1200, "reason": "overlap"}]
    assert found["seconds"]["clinical_staff"] == 1800
    assert found["seconds"]["practitioner"] == 1800
    assert found["seconds"]["pooled"] == 2400
    assert [o["family"] for o in found["options"]] == ["practitioner", "non-complex"]


def test_months_have_ground_by_standing_time_claims_and_mdm() -> None:
    events = [
        *given.ready("2025-03"),
        given.staff("t1", "2025-03-05", 60),
        given.staff("t2", "2025-04-05", 60),
        given.voided("t2", "2025-05-01T00:00:00Z"),
        given.mdm("2025-06"),
    ]
    assert oracle.months_with_ground(events, Policy()) == ["2025-03", "2025-06"]
