"""Several writers whose clocks differ: as known at an instant is still what was shown."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from domain.event import Event
from domain.facts import PatientMerged
from domain.rules import BOOK
from infra import snapshots
from infra.clock import Clock
from infra.codec import decode_event, split_stream_id
from infra.configfile import ConfigFile
from infra.eventstore import open_store
from infra.settings import Settings
from projections.ports import Store
from services.bootstrap import Parts
from services.ingest import Delivery, Ingest
from services.readings import as_known
from tests.audit.growing import FIRST_US, message
from tests.audit.test_as_known import undated
from tests.given import event, ready, staff, voided

MINUTE_US = 60_000_000
SKEW_US = 5 * MINUTE_US


@pytest.fixture
def stores(durable_url: str) -> Iterator[list[Store]]:
    """Two processes' ways to one log."""
    opened = [open_store(durable_url) for _ in range(2)]
    yield opened
    for one in opened:
        one.close()


class Members:
    """Writers of one log; the clock of the second is five minutes ahead of the first's."""

    def __init__(self, stores: list[Store], patients_max: int = 50_000) -> None:
        self.store, self.now_us = stores[0], FIRST_US
        settings = Settings()
        settings._file = ConfigFile()
        self.parts = Parts(settings, lambda: self.now_us, BOOK, self.store)
        self._ingests = [
            Ingest(store, self._clock(skew), BOOK, settings.policy_of, patients_max)
            for store, skew in zip(stores, (0, SKEW_US), strict=True)
        ]
        self.shown: dict[str, list[tuple[int, list[bytes]]]] = {}
        """Of each patient, the instant of each recording and the rows shown after it."""

    def _clock(self, skew_us: int) -> Clock:
        return lambda: self.now_us + skew_us

    def take(self, writer: int, *events: Event) -> None:
        head = self.store.head()
        lines = [Delivery(message(one), None, (), "test") for one in events]
        assert self._ingests[writer].take(lines).accepted == len(lines)
        for stored in self.store.log(head, 1_000):
            at = decode_event(stored).recorded_at_us
            assert at is not None
            _, patient = split_stream_id(stored.stream_id)
            rows = list(self.store.assessments(patient=patient))
            self.shown.setdefault(patient, []).append((at, rows))
        self.now_us += 1_000_000

    def check(self, at_us: int) -> None:
        """Of each patient, what is known as of the instant is what was shown at it."""
        for patient, shown in self.shown.items():
            seen = [rows for at, rows in shown if at <= at_us]
            known = list(as_known(self.parts, at_us, patient=patient))
            assert undated(known, at_us) == (seen[-1] if seen else [])


def of(patient: str, *events: Event) -> list[Event]:
    """The same events, as this patient's own."""
    return [replace(e, patient_id=patient, id=f"{patient}-{e.id}") for e in events]


def recorded(store: Store, stream: str) -> list[int]:
    events = map(decode_event, store.load([stream])[stream].events)
    return [event.recorded_at_us or 0 for event in events]


def test_of_each_patient_as_known_is_what_was_shown(stores: list[Store]) -> None:
    """Two writers take turns at two patients; every instant around every recording."""
    members, chance = Members(stores), random.Random(7)
    for patient in ("a", "b"):
        members.take(1, *of(patient, *ready("2025-03")))
    for number in range(12):
        for patient in ("a", "b"):
            entry = f"{patient}{number}"
            done = of(patient, staff(entry, "2025-03-05", 300))
            members.take(chance.randrange(2), *done)
            if number % 4 == 3:
                gone = of(patient, voided(entry, "2025-03-08T12:00:00Z"))
                members.take(chance.randrange(2), *gone)
    for at in {at + by for shown in members.shown.values() for at, _ in shown for by in (-1, 0, 1)}:
        members.check(at)
    for patient in ("a", "b"):
        stamps = recorded(members.store, f"p1/{patient}")
        batches = stamps[len(ready("2025-03")) - 1 :]
        assert all(early < late for early, late in pairwise(batches))


@pytest.mark.parametrize("patients_max", [1, 50])
def test_a_clock_that_stepped_back_is_held_at_the_patients_last_recording(
    stores: list[Store], monkeypatch: pytest.MonkeyPatch, patients_max: int
) -> None:
    """After a restart too, whether the history is read whole or from its snapshot."""
    monkeypatch.setattr(snapshots, "GROWTH", 8)
    Members(stores).take(1, *ready("2025-03"), staff("t1", "2025-03-05", 300))
    for number in range(2, 20):
        # each time a new process, on the slow machine
        Members(stores, patients_max).take(0, staff(f"t{number}", "2025-03-05", 60))
    stamps = recorded(stores[0], "p1/pt1")
    batches = stamps[len(ready("2025-03")) :]
    assert all(late == early + 1 for early, late in pairwise(batches))


def test_what_a_merge_carries_over_is_recorded_after_what_the_heir_had(
    stores: list[Store],
) -> None:
    members = Members(stores)
    heirs = of("b", *ready("2025-03"))
    members.take(0, *ready("2025-03"), staff("t1", "2025-03-05", 1_260))
    members.take(1, *heirs)
    members.take(0, event(PatientMerged("b"), "2025-03-09T12:00:00Z"))
    stamps = recorded(members.store, "p1/b")
    assert stamps == sorted(stamps)
    assert len(stamps) > len(heirs)


def test_one_patients_future_is_not_anothers(stores: list[Store]) -> None:
    """A batch of many patients is not carried off by the one whom a fast clock recorded."""
    members = Members(stores)
    members.take(1, *ready("2025-03"))
    members.take(0, staff("t1", "2025-03-05", 300), *of("o", staff("o1", "2025-03-05", 300)))
    assert recorded(members.store, "p1/o")[0] < FIRST_US + MINUTE_US
