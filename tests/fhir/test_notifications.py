"""Notifications of R4, R4B and R5: counted, gaps seen, what was not brought is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.translate.marks import FETCH
from tests.fhir.made import Fed, chart, raw, site, task, visit
from tests.fhir.notified import AT, SUBSCRIPTION, notification

DATA = Path(__file__).parents[3] / "shared" / "data"
EVENT = "event-notification"
RELEASES = ("r4", "r4b", "r5")


def wishes(fed: Fed) -> list[dict[str, object]]:
    return [json.loads(dict(letter.headers)[FETCH]) for letter in fed.letters()]


@pytest.mark.parametrize("release", RELEASES)
def test_full_resources_are_taken_and_the_counter_moves(fed: Fed, release: str) -> None:
    assert fed.take(notification(release, "handshake", 0)).dead_lettered == 0
    fed.take(*chart())
    said = notification(release, EVENT, 1, [1], ["Task/t1"], [task()])
    outcome = fed.take(said, feed=5)
    assert (outcome.accepted, outcome.dead_lettered) == (1, 0)
    assert fed.answers()[0]["seconds"]["logged"] == 1_200
    assert fed.take(said).ignored["repeated"] == 1
    assert fed.take(notification(release, "heartbeat", 1)).ignored["notification-heartbeat"] == 1
    assert fed.letters() == []


@pytest.mark.parametrize("release", RELEASES)
def test_a_skipped_number_is_a_gap_with_both_ends(fed: Fed, release: str) -> None:
    fed.take(notification(release, "handshake", 0, at="2025-03-01T00:00:00Z"))
    fed.take(notification(release, EVENT, 4, [4], ["Task/t1"], [task()]))
    (letter,) = fed.letters()
    assert (letter.reason, letter.waits_for) == ("feed-gap", "fetch:river")
    assert wishes(fed) == [
        {"since": "2025-03-01T00:00:00Z", "subscription": SUBSCRIPTION, "from": 1, "to": 3}
    ]
    fed.take(notification(release, EVENT, 5, [5], ["Task/t1"], [task(version=2)]))
    assert len(fed.letters()) == 1


@pytest.mark.parametrize("release", RELEASES)
def test_a_heartbeat_tells_of_notifications_that_never_came(fed: Fed, release: str) -> None:
    fed.take(notification(release, "handshake", 0))
    fed.take(notification(release, "heartbeat", 2))
    assert [(wish["from"], wish["to"]) for wish in wishes(fed)] == [(1, 2)]
    fed.take(notification(release, "heartbeat", 2))
    assert len(fed.letters()) == 1


@pytest.mark.parametrize("release", RELEASES)
def test_coalesced_events_in_one_batch_are_no_gap(fed: Fed, release: str) -> None:
    fed.take(notification(release, "handshake", 0))
    focus = ["Task/t1", "Task/t1", "Encounter/v1"]
    fed.take(notification(release, EVENT, 3, [1, 2, 3], focus, [task(version=2), visit()]))
    assert fed.letters() == []
    assert len(fed.events()) == 2


@pytest.mark.parametrize("release", RELEASES)
def test_an_id_only_notification_asks_once_for_each_resource(fed: Fed, release: str) -> None:
    fed.take(notification(release, "handshake", 0))
    focus = ["Task/t1", "Task/t1", "Encounter/v1"]
    fed.take(notification(release, EVENT, 3, [1, 2, 3], focus))
    assert [wish["reference"] for wish in wishes(fed)] == ["Task/t1", "Encounter/v1"]
    assert {letter.reason for letter in fed.letters()} == {"not-fetched"}


@pytest.mark.parametrize("release", RELEASES)
def test_an_empty_notification_asks_for_what_changed_since_the_last(fed: Fed, release: str) -> None:
    fed.take(notification(release, "handshake", 0, at="2025-03-01T00:00:00Z"))
    fed.take(notification(release, EVENT, 1, [1]))
    assert wishes(fed) == [{"since": "2025-03-01T00:00:00Z", "subscription": SUBSCRIPTION}]
    fed.take(notification(release, EVENT, 2, [2]))
    assert wishes(fed)[1]["since"] == AT


def test_an_older_notification_that_comes_late_moves_no_counter_back(fed: Fed) -> None:
    fed.take(notification("r5", "handshake", 0))
    two = notification("r5", EVENT, 2, [2], ["Task/t2"], [task("t2")])
    one = notification("r5", EVENT, 1, [1], ["Task/t1"], [task()])
    fed.take(two)
    assert fed.take(one).accepted == 1
    fed.take(notification("r5", "heartbeat", 2))
    assert [(wish["from"], wish["to"]) for wish in wishes(fed)] == [(1, 1)]


def test_a_new_handshake_begins_to_count_anew(fed: Fed) -> None:
    fed.take(notification("r4", "handshake", 0))
    fed.take(notification("r4", EVENT, 1, [1], ["Task/t1"], [task()]))
    fed.take(notification("r4", "handshake", 0))
    fed.take(notification("r4", EVENT, 1, [1], ["Task/t2"], [task("t2")]))
    assert (len(fed.events()), fed.letters()) == (2, [])


def test_the_counter_and_its_gaps_are_of_the_transaction(fed: Fed) -> None:
    """A batch that fails as a whole has heard of nothing."""
    fed.take(notification("r4", "handshake", 0))
    commit = fed.store.commit

    def broken(_: object) -> None:
        raise ConnectionError

    said = notification("r4", EVENT, 2, [2], ["Task/t1"], [task()])
    fed.store.commit = broken  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        fed.take(said)
    fed.store.commit = commit  # type: ignore[method-assign]
    fed.take(said)
    assert [(wish["from"], wish["to"]) for wish in wishes(fed)] == [(1, 1)]


def test_a_focus_on_another_server_is_for_review_and_never_asked_for(fed: Fed) -> None:
    fed.take(notification("r5", "handshake", 0))
    fed.take(notification("r5", EVENT, 1, [1], ["https://evil.example/Task/t1"]))
    (letter,) = fed.letters()
    assert (letter.reason, letter.waits_for) == ("not-fetched", "")


def test_a_resource_that_goes_to_review_does_not_hold_up_the_others(fed: Fed) -> None:
    fed.take(notification("r5", "handshake", 0))
    dated = task("t2", executionPeriod={"start": "2025-03-05", "end": "2025-03-05"})
    focus = ["Task/t2", "Task/t1"]
    fed.take(notification("r5", EVENT, 2, [1, 2], focus, [dated, task()]))
    (letter,) = fed.letters()
    assert (letter.reason, letter.value) == ("imprecise-date", raw(dated))
    assert letter.origin == "test:0#0"
    assert len(fed.events()) == 1


def test_a_real_notification_of_an_independent_server_becomes_time(fed: Fed) -> None:
    if not (DATA / "fhir_r4_notification_event.json").exists():
        pytest.skip(f"no captured notifications in {DATA}")
    profile = site(
        source="http://localhost:8090/fhir",
        time={
            "encounters": {
                "http://terminology.hl7.org/CodeSystem/v3-ActCode|VR": {"activity": "call"}
            },
            "default_role": "clinical_staff",
        },
    )
    captured = Fed(fed.store, profile)
    assert captured.take((DATA / "fhir_r4_notification_handshake.json").read_bytes()).results == [
        None
    ]
    captured.take((DATA / "fhir_r4_notification_event.json").read_bytes())
    (letter,) = captured.letters()
    assert (letter.reason, letter.field) == ("unknown-person", "participant")
