"""Ingest with snapshots leaves exactly what ingest without them leaves, and loads less."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.patient import evolve
from domain.policy import Policy
from domain.rules import BOOK
from infra import snapshots
from infra.codec import decode_event, stream_id
from infra.eventstore import open_store
from infra.snapshots import FORM
from projections.ports import Batch, Snapshot, Store, StoredStream
from services.ingest import Delivery, Ingest
from services.ingest import patients as hot
from services.ingest.patients import revive
from tests.chain import verify_chain
from tests.given import ready, staff
from tests.services.test_ingest import RECORDED_AT_US, chart, said
from tests.stored import stream

STREAM = stream_id("p1", "pt1")
LATER = "2026-01-20T17:00:00Z"
OTHER_FORM = "sha256:of another release"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db")
    yield opened
    opened.close()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot after every four events."""
    monkeypatch.setattr(snapshots, "GROWTH", 4)


def ingest_into(store: Store, patients_max: int = 50_000) -> Ingest:
    return Ingest(store, lambda: RECORDED_AT_US, BOOK, lambda _: Policy(), patients_max)


def take(ingest: Ingest, messages: Sequence[bytes], **tracking: int) -> int:
    deliveries = [Delivery(m, None, (), f"test:{n}") for n, m in enumerate(messages)]
    return ingest.take(deliveries, tracking).accepted


def logged(entry: str, month: int, seconds: int, subject: str = "pt1", **more: Any) -> bytes:
    performer = {"id": "rn1", "role": "clinical_staff"}
    data = {"entry_id": entry, "performer": performer, "activity": "care_coordination"}
    on = f"2025-{month:02d}-05"
    data |= {"performed_on": on, "seconds": seconds}
    kind = "time.amended.v1" if "reason" in more else "time.logged.v1"
    at = f"2026-01-{15 + len(more)}T17:00:00Z"
    return said(kind, data | more, f"{subject}-{entry}-{len(more)}", subject, time=at)


def history(subject: str) -> list[bytes]:
    """A year with amendments, voids, retractions, repetitions, a claim and a late consent."""
    messages = chart(subject)
    for month in range(1, 13):
        messages += [logged(f"t{month}-{n}", month, 400 + n, subject) for n in range(3)]
        if month % 3 == 0:
            messages.append(logged(f"t{month}-0", month - 1, 900, subject, reason="wrong month"))
            void = {"entry_id": f"t{month}-1", "reason": "wrong patient"}
            messages.append(
                said("time.voided.v1", void, f"{subject}-v{month}", subject, time=LATER)
            )
        if month % 4 == 0:
            gone = {"event_source": "/ehr", "event_id": f"{subject}-t{month - 3}-2-0"}
            gone["reason"] = "entered in error"
            messages.append(said("event.retracted.v1", gone, f"{subject}-r{month}", subject))
    codes = [{"code": "99490", "units": 1}]
    claim = {"month": "2025-02", "codes": codes, "claim_id": "c", "submitted_on": "2025-03-02"}
    return [*messages, said("month.claimed.v1", claim, f"{subject}-claim", subject)]


def left(store: Store) -> dict[str, object]:
    """All that a reader sees."""
    return {
        "log": store.log(0, 10_000),
        "assessments": list(store.assessments()),
        "transitions": store.transitions(0, 10_000),
        "letters": store.dead_letters(),
        "alerts": [stream.alerts for stream in store.load(sorted(store.versions())).values()],
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("patients_max", [1, 50])
@pytest.mark.usefixtures("often")
def test_what_is_left_is_the_same_as_without_snapshots(
    store: Store, seed: int, patients_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any order of arrival, patients hot or loaded anew for every batch."""
    rng = random.Random(seed)
    messages = [*history("pt1"), *history("pt2"), *rng.sample(history("pt1"), 20)]
    messages.append(logged("t1-0", 1, 999))  # another content under a known id
    rng.shuffle(messages)
    batches = [messages[at : at + 7] for at in range(0, len(messages), 7)]
    ingest = ingest_into(store, patients_max)
    for batch in batches:
        take(ingest, batch)
    kept = [stream.snapshot for stream in store.load([STREAM], FORM).values()]
    monkeypatch.setattr(snapshots, "GROWTH", 1_000_000)
    plain = open_store("memory:")
    ingest = ingest_into(plain)
    for batch in batches:
        take(ingest, batch)
    assert kept[0] is not None
    assert left(store) == left(plain)
    verify_chain(store.log(0, 10_000))


def loaded(store: Store) -> StoredStream:
    return store.load([STREAM], FORM)[STREAM]


@pytest.mark.usefixtures("often")
def test_a_history_is_loaded_from_its_snapshot_on(store: Store) -> None:
    take(ingest_into(store), history("pt1"))
    version = store.versions()[STREAM]
    found = loaded(store)
    assert found.snapshot is not None
    assert (found.snapshot.version, found.events) == (version, [])
    again = ingest_into(store)
    assert take(again, history("pt1")) == 0
    assert take(again, [logged("new", 3, 60)]) == 1
    assert [stored.version for stored in loaded(store).events] == [version + 1]


def test_a_short_history_has_no_snapshot(store: Store) -> None:
    take(ingest_into(store), history("pt1"))
    assert loaded(store).snapshot is None


def test_a_patient_of_twenty_thousand_events_is_loaded_in_less_than_50_ms(tmp_path: Path) -> None:
    """From a file, with the longest tail a snapshot may have, at the best of seven; in time of the
    processor, so that a busy machine does not fail it."""
    day = date(2015, 1, 1)
    work = [staff(f"t{n}", day + timedelta(n // 6), 60 + n % 900) for n in range(19_994)]
    log = stream([*ready("2015-01"), *work])
    store = open_store(f"sqlite:///{tmp_path}/long.db")
    store.commit(Batch(events=log, versions={log[0].stream_id: len(log)}))
    early = replace(store.load([STREAM])[STREAM], events=log[: len(log) - snapshots.GROWTH + 1])
    kept = revive(early).snapshot_if_due(STREAM)
    assert kept is not None
    store.commit(Batch(snapshots=[kept]))
    took = []
    for _ in range(7):
        started = time.process_time()
        found = hot.HotPatients(store, 10).fetch([STREAM])[STREAM]
        took.append(time.process_time() - started)
        assert found.live.patient.version == 20_000
    store.close()
    assert min(took) < 0.050


def test_a_snapshot_of_a_long_history_writes_what_is_new_and_little_else(store: Store) -> None:
    """From 4,000 events to 8,000 each is written into a few snapshots, not into all that follow."""
    day = date(2015, 1, 1)
    work = [staff(f"t{n}", day + timedelta(n // 6), 60 + n % 900) for n in range(7_994)]
    log = stream([*ready("2015-01"), *work])
    store.commit(Batch(events=log, versions={STREAM: len(log)}))
    patient = revive(replace(store.load([STREAM])[STREAM], events=log[:4_000]))
    written = held = 0
    for stored in log[4_000:]:
        evolve(patient.live.patient, decode_event(stored))
        patient.previous = b"the hash of the event"
        kept = patient.snapshot_if_due(STREAM)
        if kept is not None:
            new = [body for body in kept.parts.values() if body is not None]
            written += len(kept.state) + sum(map(len, new))
            put(store, kept)
            loaded_parts = loaded(store).snapshot
            assert loaded_parts is not None
            held = len(kept.state) + sum(len(body or b"") for body in loaded_parts.parts.values())
            assert len(kept.parts) <= 6
    assert held < written < 4 * held


@pytest.mark.usefixtures("often")
def test_a_part_that_is_lost_or_changed_costs_a_full_read_and_a_warning(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    take(ingest_into(store), chart())
    take(ingest_into(store), [logged(f"t{n}", 3, 60) for n in range(6)])
    for number in range(2):
        found = loaded(store).snapshot
        assert found is not None
        ((name, body),) = found.parts.items()
        assert body is not None
        put(store, replace(found, parts={}))
        put(store, replace(found, parts={name: body[:-1] + b"?"} if number else {}))
        with caplog.at_level(logging.WARNING, "caretally.ingest"):
            assert take(ingest_into(store), [logged(f"new{number}", 3, 600)]) == 1
    assert "lacks a part" in caplog.text
    assert "fails its checksum" in caplog.text
    assert "pt1" not in caplog.text
    (answer,) = store.assessments()
    assert b'"status":"billable"' in answer


def put(store: Store, kept: Snapshot) -> None:
    store.commit(Batch(snapshots=[kept]))


@pytest.mark.usefixtures("often")
def test_a_snapshot_of_another_form_is_not_read_and_is_replaced(store: Store) -> None:
    """Its bytes mean nothing to us, even where they look well."""
    take(ingest_into(store), chart())
    found = loaded(store).snapshot
    assert found is not None
    put(store, replace(found, form=OTHER_FORM, state=b"no patient at all", parts={}))
    assert take(ingest_into(store), [logged("t1", 3, 1_200)]) == 1
    (answer,) = store.assessments()
    assert b'"status":"billable"' in answer
    replaced = loaded(store).snapshot
    assert replaced is not None
    assert (replaced.version, replaced.form) == (7, FORM)


@pytest.mark.usefixtures("often")
def test_a_snapshot_is_thrown_away_when_the_rules_of_its_making_change(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next release folds otherwise: what this one kept is of no use to it."""
    take(ingest_into(store), chart())
    monkeypatch.setattr(snapshots, "FORM", OTHER_FORM)
    monkeypatch.setattr(hot, "FORM", OTHER_FORM)
    assert take(ingest_into(store), [logged("t1", 3, 1_200)]) == 1
    assert loaded(store).snapshot is None
    kept = store.load([STREAM], OTHER_FORM)[STREAM].snapshot
    assert kept is not None
    assert kept.version == 7


@pytest.mark.usefixtures("often")
def test_a_damaged_snapshot_costs_a_full_read_and_a_warning_that_names_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    take(ingest_into(store), chart())
    found = loaded(store).snapshot
    assert found is not None
    put(store, replace(found, state=found.state[:-1] + b"?"))
    with caplog.at_level(logging.WARNING, "caretally.ingest"):
        assert take(ingest_into(store), [*chart(), logged("t1", 3, 1_200)]) == 1
    assert "fails its checksum" in caplog.text
    assert "pt1" not in caplog.text
    (answer,) = store.assessments()
    assert b'"status":"billable"' in answer
    replaced = loaded(store).snapshot
    assert replaced is not None
    assert replaced.version == 7
    verify_chain(store.log(0, 100))


@pytest.mark.usefixtures("often")
def test_a_batch_that_fails_leaves_no_snapshot_and_no_patient_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = ingest_into(store)
    take(ingest, chart()[:3])
    commit = store.commit

    def broken(_: Batch) -> None:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr(store, "commit", broken)
    with pytest.raises(ConnectionError):
        take(ingest, [*chart(), logged("t1", 3, 1_200)])
    monkeypatch.setattr(store, "commit", commit)
    assert loaded(store).snapshot is None
    assert take(ingest, [*chart(), logged("t1", 3, 1_200)]) == 4
    kept = loaded(store).snapshot
    assert kept is not None
    assert kept.version == 7
    assert b'"status":"billable"' in next(iter(store.assessments()))
