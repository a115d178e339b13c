"""What time alone changes is said by ticks: to whom it concerns, once, and never for the past."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from domain.facts import TICK_TYPE
from domain.policy import Policy
from infra.codec import event_key
from infra.eventstore import open_store
from projections.boundaries import Passed
from projections.ports import Store
from services import clockwork as module
from services.cli.read import _events
from services.clockwork import FEED
from tests.chain import verify_chain
from tests.contracts.conftest import ALL, url_of
from tests.given import instant
from tests.postgres import postgres_server, postgres_url
from tests.services.timed import CLOCK_SOURCE as CLOCK
from tests.services.timed import Timed, as_stored, chart, logged, replayed, said

__all__ = ["postgres_server", "postgres_url"]

EARLY, FEW, OVER = "2025-03-10T12:00:00Z", "2025-03-27T04:00:10Z", "2025-04-01T04:00:10Z"
RISK, NEAR, REACHED = "month.at-risk", "threshold.approaching", "threshold.reached"
MARCH = "2025-03"


@pytest.fixture(params=ALL)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(url_of(request.param, request, tmp_path))
    yield opened
    opened.close()


def begun(store: Store | None = None, policy: Policy | None = None) -> Timed:
    """A clockwork that began on 10 March."""
    timed = Timed(EARLY, store, lambda _: policy or Policy())
    timed.look(EARLY)
    return timed


def test_an_open_patient_short_of_the_first_threshold_is_at_risk_from_local_midnight_on(
    store: Store,
) -> None:
    timed = begun(store)
    timed.say(*chart("empty"), *chart("short"), logged("short", 600))
    timed.say(*chart("enough"), logged("enough", 1_200))
    seen = len(timed.rows())
    timed.look("2025-03-27T03:59:59Z")
    assert timed.rows(seen) == []
    timed.look(FEW)
    assert timed.rows(seen) == [
        ("empty", RISK, MARCH, "raised", None),
        ("short", RISK, MARCH, "raised", None),
    ]
    bodies = [json.loads(row.body) for row in store.transitions(seen, 9)]
    assert [body["seconds_to_go"] for body in bodies] == [1_200, 600]
    assert all(body["recorded_at"].startswith("2025-03-27T04:00:10") for body in bodies)


def test_the_end_of_the_month_resolves_what_was_near_and_at_risk(store: Store) -> None:
    timed = begun(store)
    timed.say(*chart("near"), logged("near", 1_000), *chart("empty"))
    timed.look(FEW)
    seen = len(timed.rows())
    timed.look("2025-04-01T03:59:00Z")
    assert timed.rows(seen) == []
    timed.look(OVER)
    assert timed.rows(seen) == [
        ("empty", RISK, MARCH, "resolved", None),
        ("near", RISK, MARCH, "resolved", None),
        ("near", NEAR, MARCH, "resolved", None),
    ]


def test_what_is_at_risk_is_so_no_longer_once_it_is_reached() -> None:
    timed = begun()
    timed.say(*chart("a"))
    timed.look(FEW)
    timed.say(logged("a", 1_200, "2025-03-27"))
    assert timed.rows() == [
        ("a", RISK, MARCH, "raised", None),
        ("a", RISK, MARCH, "resolved", None),
        ("a", REACHED, MARCH, "raised", None),
    ]


def test_each_zone_has_its_own_midnight() -> None:
    timed = begun()
    timed.say(*chart("ny"), *chart("tonga", "Pacific/Tongatapu"), *chart("guam", "Pacific/Guam"))
    timed.look("2025-03-26T11:00:10Z")
    assert [row[0] for row in timed.rows()] == ["tonga"]
    timed.look("2025-03-26T14:00:10Z")
    assert [row[0] for row in timed.rows()] == ["tonga", "guam"]
    timed.look(FEW)
    assert [row[0] for row in timed.rows()] == ["tonga", "guam", "ny"]


def test_each_practice_has_its_own_days() -> None:
    days = {"p1": 5, "p2": 10, "p3": 0}
    timed = Timed(EARLY, policy_of=lambda practice: Policy(at_risk_days=days[practice]))
    timed.look(EARLY)
    for practice in days:
        timed.say(*chart(f"of-{practice}", practice=practice))
    timed.look("2025-03-22T04:00:10Z")
    assert [row[0] for row in timed.rows()] == ["of-p2"]
    timed.look("2025-03-31T12:00:00Z")
    assert [row[0] for row in timed.rows()] == ["of-p2", "of-p1"]


def test_who_has_left_is_not_at_risk_and_who_comes_back_is() -> None:
    timed = begun()
    timed.say(*chart("gone"))
    left = {"effective_on": "2025-03-12", "reason": "moved away"}
    timed.say(said("patient.disenrolled.v1", left, "left", "gone"))
    timed.look(FEW)
    assert timed.rows() == []
    timed.now = instant("2025-03-28T12:00:00Z")
    again = {
        "effective_on": "2025-03-28",
        "timezone": "America/New_York",
        "billing_practitioner": {"npi": "1000000004", "credential": "MD"},
    }
    timed.say(said("patient.enrolled.v1", again, "back", "gone"))
    assert timed.rows() == [("gone", RISK, MARCH, "raised", None)]


def test_a_boundary_that_matters_twice_is_ticked_twice() -> None:
    """Said to be elsewhere and back: the second midnight is another tick of the same boundary."""
    timed = begun()
    timed.say(*chart("a", "Pacific/Tongatapu"))
    timed.look("2025-03-26T11:00:10Z")
    home = {
        "effective_on": "2025-01-02",
        "timezone": "America/New_York",
        "billing_practitioner": {"npi": "1000000004", "credential": "MD"},
    }
    later = "2025-03-26T12:00:00Z"
    timed.say(said("patient.enrolled.v1", home, "home", "a", time=later))
    assert [row[3] for row in timed.rows()] == ["raised", "resolved"]
    timed.look(FEW)
    assert [row[3] for row in timed.rows()] == ["raised", "resolved", "raised"]
    keys = {stored.key for stored in timed.ticks()}
    assert len(keys) == len(timed.ticks()) == 2


def test_a_tick_lies_in_the_patients_stream_linked_and_with_its_boundarys_time(
    store: Store,
) -> None:
    timed = begun(store)
    timed.say(*chart("a"), *chart("b"))
    timed.look(FEW)
    first, second = timed.ticks()
    assert (first.stream_id, first.version, first.name) == ("p1/a", 7, TICK_TYPE)
    state = json.loads(first.state)
    assert (state["source"], state["time"]) == (CLOCK, "2025-03-27T04:00:00Z")
    assert state["data"] == {"boundary": "at-risk", "month": MARCH}
    assert first.key == event_key(CLOCK, state["id"])
    assert second.stream_id == "p1/b"
    verify_chain(store.load(["p1/a"])["p1/a"].events)
    timed.say(logged("a", 60))
    verify_chain(store.load(["p1/a"])["p1/a"].events)


def test_an_export_has_no_ticks(store: Store) -> None:
    timed = begun(store)
    timed.say(*chart("a"))
    timed.look(FEW)
    assert len(timed.ticks()) == 1
    types = [json.loads(line)["type"] for line in _events(store, None, None)]
    assert (len(types), TICK_TYPE in types) == (6, False)


def test_a_tick_changes_no_answer_but_the_version(store: Store) -> None:
    timed = begun(store)
    timed.say(*chart("a"), logged("a", 600))
    (before,) = map(json.loads, store.assessments())
    timed.look(FEW)
    (after,) = map(json.loads, store.assessments())
    assert after == before | {"stream_version": before["stream_version"] + 1}


def test_the_first_look_ever_ticks_for_nothing_that_is_past(store: Store) -> None:
    timed = Timed("2025-03-28T12:00:00Z", store)
    timed.say(*chart("a"), logged("a", 1_000))
    seen = len(timed.rows())
    timed.look("2025-05-10T12:00:00Z")
    assert timed.rows(seen) == []
    assert store.tracking(FEED) == instant("2025-05-10T12:00:00Z") - module.GRACE_SECONDS
    timed.look("2025-05-27T04:00:10Z")
    assert timed.rows(seen) == [("a", RISK, "2025-05", "raised", None)]


def test_a_log_older_than_the_clockwork_gets_its_enrolments_noted_first(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path}/care.db")
    timed = Timed(EARLY, opened)
    subjects = [f"pt{n:03d}" for n in range(2 * module.CHUNK + 1)]
    for subject in subjects:
        timed.say(*chart(subject))
    with opened.recorder.datastore.transaction(commit=True) as c:  # type: ignore[attr-defined]
        c.execute("DELETE FROM enrolled_months")
    versions = opened.versions()
    timed.look(EARLY)
    timed.look(FEW)
    assert [row[0] for row in timed.rows()] == subjects
    assert opened.versions() == {stream: version + 1 for stream, version in versions.items()}
    opened.close()


def test_after_a_long_standstill_what_is_over_is_resolved_and_nothing_over_is_raised() -> None:
    timed = begun()
    timed.say(*chart("a"), logged("a", 1_000))
    seen = len(timed.rows())
    timed.look("2025-06-28T12:00:00Z")
    assert timed.rows(seen) == [
        ("a", NEAR, MARCH, "resolved", None),
        ("a", RISK, "2025-06", "raised", None),
    ]


def test_nothing_is_asked_of_the_store_between_two_quarters_of_an_hour() -> None:
    timed = begun()
    timed.look("2025-03-10T12:15:30Z")
    timed.clockwork._store = None  # type: ignore[assignment]  # any question would fail
    timed.look("2025-03-10T12:29:59Z")
    with pytest.raises(AttributeError):
        timed.look("2025-03-10T12:30:05Z")


class Killed(Exception):
    """Stands for the end of the process."""


def test_killed_at_any_transaction_and_begun_again_each_patient_is_ticked_once(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    timed = begun(store)
    subjects = [f"pt{n:02d}" for n in range(10)]
    for subject in subjects:
        timed.say(*chart(subject, "UTC" if subject > "pt04" else "America/New_York"))
    tick, deaths = timed.ingest.tick, 0

    def dying(streams: Sequence[str], passed: Passed) -> int:
        nonlocal deaths
        done = tick(streams, passed)
        if deaths < 4:
            deaths += 1
            raise Killed
        return done

    monkeypatch.setattr(timed.ingest, "tick", dying)
    for _ in range(4):
        timed.clockwork = timed.new_clockwork()
        with pytest.raises(Killed):
            timed.look(FEW)
    timed.clockwork = timed.new_clockwork()
    timed.look(FEW)
    assert sorted(row[0] for row in timed.rows()) == subjects
    assert len(timed.ticks()) == len(subjects)


def test_two_processes_that_see_the_same_boundary_tick_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/care.db"
    first, second = open_store(url), open_store(url)
    one, two = begun(first), Timed(EARLY, second)
    for n in range(120):
        one.say(*chart(f"pt{n:03d}"))
    one.now = two.now = instant(FEW)

    async def both() -> None:
        looks = (asyncio.to_thread(one.clockwork.look), asyncio.to_thread(two.clockwork.look))
        await asyncio.gather(*looks)

    asyncio.run(both())
    rows = first.transitions(0, 1_000)
    assert len(rows) == len({row.state.alert_id for row in rows}) == 120
    assert len(one.ticks()) == 120
    assert replayed(first, one.policy_of) == as_stored(first)
    first.close()
    second.close()


def test_a_patient_that_another_process_changed_meanwhile_is_ticked_all_the_same(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/care.db"
    first, second = open_store(url), open_store(url)
    one, other = begun(first), Timed(EARLY, second)
    one.say(*chart("a"))
    other.say(logged("a", 60))
    one.look(FEW)
    assert one.rows() == [("a", RISK, MARCH, "raised", None)]
    assert json.loads(one.ticks()[0].state)["id"].endswith("/8")
    first.close()
    second.close()


async def test_it_runs_in_the_background_waits_out_an_outage_and_ends() -> None:
    timed = begun()
    timed.say(*chart("a"))
    timed.now = instant(FEW)
    clockwork = timed.new_clockwork()
    clockwork._look_seconds = 0.01
    store, failing = timed.store, iter([OSError("out"), OSError("out")])

    class Out:
        def __getattr__(self, name: str) -> object:
            for error in failing:
                raise error
            clockwork._store = store
            return getattr(store, name)

    clockwork._store = Out()  # type: ignore[assignment]
    await clockwork.start()
    await asyncio.sleep(0.1)
    assert clockwork.ready() == (False, "held back by OSError")
    for _ in range(500):
        if clockwork.ready()[0]:
            break
        await asyncio.sleep(0.01)
    await clockwork.stop()
    await clockwork.stop()
    assert (clockwork.ticks, clockwork.ready()) == (1, (True, ""))
