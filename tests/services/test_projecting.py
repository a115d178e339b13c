"""What crosses patients: decided along the log, once, whatever batches and interruptions."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.policy import Policy
from domain.rules import BOOK
from infra.codec import decode_event, stream_id
from infra.eventstore import open_store
from infra.eventstore.projected import open_projected
from projections.operators import Operator, Operators
from projections.ports import Batch, PositionPassed, Store, TransitionRow
from projections.projected import Projected, place
from projections.rebuilding import RebuildTaken
from projections.staffing import stretches
from services.demo.vocabulary import clocked, message, performer, to_line
from services.histories import folded
from services.ingest import Delivery, Ingest
from services.notify.deliverable import is_deliverable
from services.projecting.billing import OperatorBilling
from services.projecting.following import Projection, live_generation, step
from services.projecting.overlaps import StaffOverlaps
from services.projecting.panels import FIGURES, Panels, live_figures
from services.projecting.remaking import remake
from tests.postgres import postgres_server, postgres_url
from tests.projections.test_staffing import every_pair
from tests.services.command import Command, command
from tests.services.serving import eventually, serving

__all__ = ["command", "postgres_server", "postgres_url"]

NPI = "1000000004"
_SECOND = timedelta(seconds=1)
KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
NORTH = Operators((Operator("north", frozenset({"p1", "p2"})),))
Make = Callable[[Store], Projection]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = {
        "memory": lambda: "memory:",
        "sqlite": lambda: f"sqlite:///{tmp_path}/care.db",
        "postgres": lambda: str(request.getfixturevalue("postgres_url")),
    }[request.param]()
    opened = open_store(url)
    yield opened
    opened.close()


def policy(_: str) -> Policy:
    return Policy()


def overlaps(store: Store) -> StaffOverlaps:
    return StaffOverlaps(store, open_projected(store), policy, patients_max=3)


def billing(store: Store) -> OperatorBilling:
    return OperatorBilling(store, open_projected(store), NORTH, BOOK, policy, patients_max=3)


def panels(store: Store) -> Panels:
    return Panels(open_projected(store))


class Feed:
    """Writes events that are recorded a second apart, from a day in March 2025 on."""

    def __init__(self, store: Store) -> None:
        self._now = 1_741_000_000_000_000
        self._ingest = Ingest(store, self._clock, BOOK, policy)
        self._number = 0

    def _clock(self) -> int:
        self._now += 1_000_000
        return self._now

    def take(self, *messages: dict[str, Any]) -> None:
        deliveries = [Delivery(to_line(m).rstrip(), None, (), "test") for m in messages]
        outcome = self._ingest.take(deliveries)
        assert not any(outcome.results), outcome.results

    def said(
        self, type: str, data: dict[str, Any], patient: str = "a", practice: str = "p1"
    ) -> dict[str, Any]:
        self._number += 1
        at = _instant(4, 0) + self._number * _SECOND
        return message(
            id=f"e{self._number}",
            source="/ehr",
            type=type,
            practice=practice,
            patient=patient,
            time=at,
            data=data,
        )

    def work(
        self,
        entry: str,
        minutes: tuple[int, int],
        patient: str = "a",
        who: str = "rn1",
        practice: str = "p1",
        amended: bool = False,
    ) -> dict[str, Any]:
        """Clocked work between two minutes of 3 March."""
        first, last = minutes
        data = clocked(
            entry,
            performer(who, "clinical_staff"),
            "care_coordination",
            _instant(3, first),
            (last - first) * 60,
        )
        if amended:
            return self.said("time.amended", {**data, "reason": "typo"}, patient, practice)
        return self.said("time.logged", data, patient, practice)

    def void(self, entry: str, patient: str = "a", practice: str = "p1") -> dict[str, Any]:
        return self.said("time.voided", {"entry_id": entry, "reason": "wrong"}, patient, practice)

    def retract(self, said: dict[str, Any]) -> dict[str, Any]:
        data = {"event_source": said["source"], "event_id": said["id"], "reason": "in error"}
        return self.said("event.retracted", data, said["subject"], said["practiceid"])

    def chart(self, patient: str, practice: str = "p1") -> None:
        """Everything a month needs but time."""
        on = "2025-01-02"
        enrolled = {
            "effective_on": on,
            "timezone": "America/New_York",
            "billing_practitioner": {"npi": NPI, "credential": "MD"},
        }
        visit = {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}
        for type, data in (
            ("patient.enrolled", enrolled),
            ("visit.recorded", visit),
            ("consent.recorded", {"consented_on": on, "method": "written", "npi": NPI}),
            ("condition.recorded", {"code": "I10", "chronic": True}),
            ("condition.recorded", {"code": "E11.9", "chronic": True}),
            ("care_plan.recorded", {"action": "established", "on": on}),
        ):
            self.take(self.said(type, data, patient, practice))


def _instant(day: int, minute: int) -> datetime:
    return datetime(2025, 3, day, 12, tzinfo=UTC) + timedelta(minutes=minute)


def followed(store: Store, projection: Projection, limit: int = 500) -> list[dict[str, Any]]:
    """Bring the projection up to the log's end; the transitions of its alerts so far."""
    while step(store, projection, live_generation(store, projection), limit):
        pass
    return told(store)


def told(store: Store) -> list[dict[str, Any]]:
    """What was decided across patients, oldest first."""
    crossing = ("staff.overlap", "billed-elsewhere-in-operator")
    return [b for row in store.transitions(0, 100_000) if (b := _body(row)) and _of(b) in crossing]


def _body(row: TransitionRow) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(row.body)
    return body


def _of(body: dict[str, Any]) -> str:
    return str(body["code"] if body["type"] == "conflict.detected" else body["type"])


def short(bodies: Sequence[dict[str, Any]]) -> list[tuple[str, str, int, str]]:
    return [(b["patient_id"], b["state"], b["transition"], b["cause"]["id"]) for b in bodies]


def test_one_nurse_at_two_patients_is_told_for_both_and_taken_back(store: Store) -> None:
    feed, projection = Feed(store), overlaps(store)
    feed.take(feed.work("t1", (0, 30)))
    assert followed(store, projection) == []
    feed.take(feed.work("t2", (20, 40), "b"))
    found = followed(store, projection)
    assert short(found) == [("a", "raised", 1, "e2"), ("b", "raised", 1, "e2")]
    assert {(b["type"], b["month"], b["code"], b["unit"]) for b in found} == {
        ("staff.overlap", "2025-03", "rn1", 0)
    }
    assert [b["stream_version"] for b in found] == [1, 1]
    feed.take(feed.work("t2", (30, 50), "b", amended=True))
    assert short(followed(store, projection))[2:] == [
        ("a", "resolved", 2, "e3"),
        ("b", "resolved", 2, "e3"),
    ]
    feed.take(feed.void("t1"))
    assert len(followed(store, projection)) == 4


def test_an_alert_stands_while_any_overlap_is_left(store: Store) -> None:
    feed, projection = Feed(store), overlaps(store)
    again = feed.work("t3", (5, 10), "c")
    feed.take(feed.work("t1", (0, 30)), feed.work("t2", (20, 40), "b"), again)
    assert len(followed(store, projection)) == 3
    feed.take(feed.void("t2", "b"))
    assert short(followed(store, projection))[3:] == [("b", "resolved", 2, "e4")]
    feed.take(feed.retract(again))
    assert short(followed(store, projection))[4:] == [
        ("a", "resolved", 2, "e5"),
        ("c", "resolved", 2, "e5"),
    ]


def test_ingest_leaves_alerts_that_cross_patients_alone(store: Store) -> None:
    """Further events of the patient, folded by a process that begins anew, do not resolve them."""
    feed = Feed(store)
    feed.take(feed.work("t1", (0, 30)), feed.work("t2", (20, 40), "b"))
    followed(store, overlaps(store))
    feed._ingest = Ingest(store, feed._clock, BOOK, policy)
    feed.take(feed.work("t3", (100, 110)), feed.work("t4", (100, 110), "b", "rn2"))
    assert short(followed(store, overlaps(store))) == [
        ("a", "raised", 1, "e2"),
        ("b", "raised", 1, "e2"),
    ]


def test_what_history_raises_is_stored_and_not_delivered(store: Store) -> None:
    """Long after the month; and its resolution, too."""
    feed, projection = Feed(store), overlaps(store)
    feed._now += 365 * 86_400 * 1_000_000
    feed.take(feed.work("t1", (0, 30)), feed.work("t2", (20, 40), "b"))
    feed.take(feed.void("t1"))
    found = followed(store, projection)
    assert [(b["state"], b["suppressed"]) for b in found] == [
        ("raised", "month-long-over"),
        ("raised", "month-long-over"),
        ("resolved", "never-raised"),
        ("resolved", "never-raised"),
    ]
    assert not any(is_deliverable(row) for row in store.transitions(0, 100))


def crowd(feed: Feed, seed: int, events: int = 120, at_once: int = 1) -> None:
    """Two nurses, four patients, two practices: work, amendments, voids, retractions."""
    rng = random.Random(seed)
    said: list[dict[str, Any]] = []
    for _ in range(events):
        practice, patient = rng.choice(("p1", "p1", "p1", "p2")), rng.choice("abcd")
        entry, who = f"{practice}-{patient}-t{rng.randrange(4)}", rng.choice(("rn1", "rn2"))
        first = rng.randrange(0, 300, 5)
        minutes = (first, first + rng.choice((5, 10, 45)))
        kind = rng.randrange(10)
        if kind < 7:
            one = feed.work(entry, minutes, patient, who, practice, amended=kind > 3)
        elif kind < 9 or not said:
            one = feed.void(entry, patient, practice)
        else:
            one = feed.retract(rng.choice(said))
        said.append(one)
        if len(said) % at_once == 0:
            feed.take(*said[-at_once:])


@pytest.mark.parametrize("seed", range(3))
def test_what_stands_raised_is_what_every_pair_says(store: Store, seed: int) -> None:
    crowd(Feed(store), seed)
    bodies = followed(store, overlaps(store), 17)
    standing = {
        (b["practice_id"], b["code"], stream_id(b["practice_id"], b["patient_id"]), b["month"])
        for b in {(x["alert_id"]): x for x in bodies}.values()
        if b["state"] == "raised"
    }
    all = []
    for name, stream in store.load(sorted(store.versions())).items():
        patient = folded(*name.split("/"), map(decode_event, stream.events))
        for entry in patient.entries:
            all += stretches(patient, entry, name, "UTC")
    assert standing == {(*staff, *booked) for staff, booked in every_pair(all)}
    numbers: Counter[str] = Counter()
    for body in bodies:
        numbers[body["alert_id"]] += 1
        assert body["transition"] == numbers[body["alert_id"]]
        assert (body["state"] == "raised") == (body["transition"] % 2 == 1)


@pytest.mark.parametrize("make", [overlaps, billing], ids=["overlaps", "billing"])
def test_the_size_of_batches_changes_no_byte(make: Make) -> None:
    found = []
    for limit in (1, 7, 500):
        store = open_store("memory:")
        feed = Feed(store)
        for practice, patient in (("p1", "a"), ("p2", "a"), ("p1", "b"), ("p2", "b")):
            feed.chart(patient, practice)
        crowd(feed, seed=5, events=200)
        found.append(followed(store, make(store), limit))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 4


def test_a_batch_that_was_not_written_leaves_nothing_behind(store: Store) -> None:
    """Two processes follow one log: the late one is refused, and goes on rightly."""
    feed, mine, theirs = Feed(store), overlaps(store), overlaps(store)
    crowd(feed, seed=9, events=60)
    for n in range(12):
        step(store, mine if n % 3 else theirs, 0, 4)
    at = store.tracking(place(mine.name, 0))
    original = store.log

    def raced(after: int, limit: int) -> Any:
        events = original(after, limit)
        store.log = original  # type: ignore[method-assign]
        step(store, theirs, 0, 2)
        return events

    store.log = raced  # type: ignore[method-assign]
    with pytest.raises(PositionPassed):
        step(store, mine, 0, 10)
    assert store.tracking(place(mine.name, 0)) == (at or 0) + 2
    bodies = followed(store, mine)
    other = open_store("memory:")
    crowd(Feed(other), seed=9, events=60)
    assert bodies == followed(other, overlaps(other))


def test_two_practices_of_one_operator_that_bill_a_person_are_told(store: Store) -> None:
    feed, projection = Feed(store), billing(store)
    for practice in ("p1", "p2", "p3"):
        feed.chart("a", practice)
    feed.take(feed.work("t1", (0, 25), "a"), feed.work("t3", (0, 25), "a", practice="p3"))
    assert followed(store, projection) == []
    late = feed.work("t2", (60, 85), "a", practice="p2")
    feed.take(late)
    found = followed(store, projection)
    assert [(b["practice_id"], b["state"], b["type"], b["code"]) for b in found] == [
        (p, "raised", "conflict.detected", "billed-elsewhere-in-operator") for p in ("p1", "p2")
    ]
    feed.take(feed.retract(late))
    found = followed(store, projection)
    assert [(b["practice_id"], b["state"]) for b in found[2:]] == [
        ("p1", "resolved"),
        ("p2", "resolved"),
    ]


def sums(store: Store) -> list[dict[str, Any]]:
    """The panel, slow and obvious: from every assessment."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in store.assessments():
        answer = json.loads(line)
        key = (answer["practice_id"], answer["month"])
        one = found.setdefault(key, {"patients": 0, "by_status": {}, "codes": {}, "amounts": {}})
        one["patients"] += 1
        status = answer["status"]
        one["by_status"][status] = one["by_status"].get(status, 0) + 1
        for code in answer["codes"]:
            one["codes"][code["code"]] = one["codes"].get(code["code"], 0) + code["units"]
        if answer["payment"]:
            amount = Decimal(one["amounts"].get(status, "0")) + Decimal(answer["payment"]["amount"])
            one["amounts"][status] = str(amount)
    return [
        {"practice_id": practice, "month": month, **one}
        for (practice, month), one in sorted(found.items())
    ]


def panel(projected: Projected, practice: str | None = None) -> list[dict[str, Any]]:
    """The live figures as JSON values."""
    return [
        {"practice_id": owner, "month": month, **msgspec.to_builtins(figures)}
        for owner, month, figures in live_figures(projected, practice)
    ]


def test_the_panel_is_the_sum_of_all_assessments(store: Store) -> None:
    feed, projection = Feed(store), panels(store)
    for practice, patient in (("p1", "a"), ("p2", "a"), ("p1", "b"), ("p1", "c")):
        feed.chart(patient, practice)
    for seed in range(4):
        crowd(feed, seed, events=40)
        followed(store, projection, 13)
        assert panel(open_projected(store)) == sums(store)
    assert any(one["amounts"] for one in sums(store))
    assert panel(open_projected(store), "p2") == [
        s for s in sums(store) if s["practice_id"] == "p2"
    ]


@pytest.mark.parametrize("make", [overlaps, billing, panels], ids=["overlaps", "billing", "panel"])
def test_a_projection_is_made_anew_beside_its_live_generation(store: Store, make: Make) -> None:
    """Equal rows, no transition, and the live one goes on from there as if nothing had been."""
    feed, projection = Feed(store), make(store)
    feed.chart("a")
    feed.chart("a", "p2")
    crowd(feed, seed=3, events=60)
    before = followed(store, projection)
    port = open_projected(store)
    tables = [port.live_rows(projection.name, table) for table in projection.tables]
    remade = remake(store, port, make(store), "rules a")
    assert remade is not None
    assert remade.differing == 0
    assert live_generation(store, projection) == 1
    assert told(store) == before
    again = [port.live_rows(projection.name, table) for table in projection.tables]
    assert [[replace(r, generation=0) for r in rows] for rows in again] == tables
    crowd(feed, seed=4, events=60)
    after = followed(store, projection, 7)
    other = open_store("memory:")
    same = Feed(other)
    same.chart("a")
    same.chart("a", "p2")
    crowd(same, seed=3, events=60)
    crowd(same, seed=4, events=60)
    assert after == followed(other, make(other))


def test_a_projection_that_went_wrong_is_put_right(store: Store) -> None:
    feed, projection = Feed(store), panels(store)
    feed.chart("a")
    feed.take(feed.work("t1", (0, 25)))
    followed(store, projection)
    port = open_projected(store)
    (row,) = port.live_rows(projection.name, FIGURES)
    store.commit(Batch(projected=[replace(row, key="2031-01"), replace(row, body=None)]))
    remade = remake(store, port, panels(store), "rules a")
    assert remade is not None
    assert remade.differing == 2
    assert panel(port) == sums(store)
    assert remake(store, port, overlaps(store), "rules a") is None


def test_a_rebuild_of_a_projection_goes_on_where_it_was_broken_off(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projecting.remaking.EVENTS_AT_ONCE", 10)
    feed, projection = Feed(store), overlaps(store)
    crowd(feed, seed=6, events=50)
    before = followed(store, projection)
    port = open_projected(store)

    def stop(position: int) -> None:
        if position >= 20:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            remake(store, port, overlaps(store), "rules a", stop)
    places: list[int] = []
    remade = remake(store, port, overlaps(store), "rules a", places.append)
    assert places[0] > 30
    assert remade is not None
    assert remade.differing == 0
    assert told(store) == before
    with pytest.raises(RebuildTaken):
        _race(store, monkeypatch)


def _race(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process finishes the same rebuild while this one compares."""
    port = open_projected(store)
    differing = type(port).differing

    def slow(*_: Any) -> int:
        monkeypatch.setattr(type(port), "differing", differing)
        remake(store, open_projected(store), overlaps(store), "rules b")
        return 0

    monkeypatch.setattr(type(port), "differing", slow)
    remake(store, port, overlaps(store), "rules b")


def test_the_command_makes_projections_anew_too(command: Command) -> None:
    store = open_store(command.database)
    crowd(Feed(store), seed=2, events=60)
    followed(store, overlaps(store))
    followed(store, panels(store))
    before = store.transitions(0, 10_000)
    ran = command("rebuild", "--json")
    assert ran.lines()[-1]["projections"] == {"staff-overlap": 0, "panel": 0}
    assert "staff-overlap: 0 differed" in command("rebuild").err
    assert live_generation(store, overlaps(store)) == 2
    assert store.transitions(0, 10_000) == before
    assert panel(open_projected(store)) == sums(store)
    store.close()


def test_killed_again_and_again_it_decides_each_transition_once(tmp_path: Path) -> None:
    """kill -9 of the serving process while it follows the log, later each time, then it goes on."""
    database = f"sqlite:///{tmp_path}/care.db"
    store = open_store(database)
    crowd(Feed(store), seed=11, events=2_500, at_once=50)
    environment = {"CARETALLY_DATABASE": database, "CARETALLY_HTTP": "off"}
    feed = place("staff-overlap", 0)
    places = []
    while len(places) < 30 and sum(place > 0 for place in places) < 3:
        with serving(environment, "--role", "projector") as running:
            running.until("started")
            time.sleep(0.03 * len(places))
            running.stop(signal.SIGKILL)
        places.append(store.tracking(feed) or 0)
    with serving(environment, "--role", "projector") as running:
        running.until("started")
        eventually(lambda: store.tracking(feed) == store.head())
        eventually(lambda: store.tracking(place("panel", 0)) == store.head())
        assert running.stop() == 0
    assert any(0 < at < store.head() for at in places)
    other = open_store("memory:")
    crowd(Feed(other), seed=11, events=2_500, at_once=50)
    assert told(store) == followed(other, overlaps(other))
    assert panel(open_projected(store)) == sums(store)
    store.close()
