"""Large files: lines gathered by patient, each once, in each patient's order, however it ends."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.ports import Store
from services.doors import gathering, shares
from services.doors.files import FileOutcome, ingest_file
from services.doors.lines import DamagedFile
from services.doors.shares import Share
from services.ingest import Ingest
from tests.services.door_store import ingest_over, letters, logged, opened, written
from tests.services.wire_examples import cloudevent, raw

PATIENTS = 40


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "LARGE_BYTES_MIN", 100)
    monkeypatch.setattr(gathering, "AHEAD_LINES_MAX", 500)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = opened(tmp_path)
    yield found
    found.close()


def events(count: int) -> list[bytes]:
    """Different events, one a line; each few lines speak of every patient."""
    return [
        raw(cloudevent(id=f"e{number:04}", subject=f"pt{number % PATIENTS}"))
        for number in range(count)
    ]


def taken(core: Ingest, store: Store, path: Path, **options: Any) -> FileOutcome:
    return ingest_file(core, store, path, **{"batch_size": 60, **options})


def ids_by_patient(store: Store) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for event in logged(store):
        found[event.stream_id].append(json.loads(event.state)["id"])
    return found


def is_whole(store: Store, count: int) -> bool:
    """Whether the log holds the events once, those of each patient in the order of the file."""
    found = ids_by_patient(store)
    told = sorted(id for ids in found.values() for id in ids)
    return told == [f"e{n:04}" for n in range(count)] and all(
        ids == sorted(ids) for ids in found.values()
    )


class Noting(Ingest):
    """An ingest core that notes the deliveries of each transaction, and may die in one of them."""

    dies_at = 0

    def take(self, deliveries: Any, *args: Any, **named: Any) -> Any:
        self.batches = [*getattr(self, "batches", []), list(deliveries)]
        if len(self.batches) == self.dies_at:
            raise KeyboardInterrupt
        return super().take(deliveries, *args, **named)


def test_every_line_is_taken_once_in_its_patients_order_and_letters_name_its_number(
    tmp_path: Path, store: Store
) -> None:
    path = written(tmp_path, [*events(700), b"nope", *events(30)])
    outcome = taken(ingest_over(store), store, path)
    assert (outcome.accepted, outcome.duplicates, outcome.dead_lettered) == (700, 30, 1)
    assert (outcome.resumed_after, outcome.lines) == (0, 731)
    assert is_whole(store, 700)
    assert [letter.origin for letter in letters(store)] == ["file:feed.jsonl:701"]


def test_a_patients_lines_come_together_in_transactions_of_the_size_asked_for(
    tmp_path: Path, store: Store
) -> None:
    core = ingest_over(store, Noting)
    taken(core, store, written(tmp_path, events(500)))
    assert isinstance(core, Noting)
    assert all(len(batch) <= 60 for batch in core.batches)
    told: Counter[str] = Counter()
    for batch in core.batches:
        told.update({json.loads(one.value)["subject"] for one in batch})
    assert told.total() < PATIENTS * 2


@pytest.mark.parametrize("at", [1, 2, 4, 9, 10])
def test_a_run_that_ends_early_is_taken_up_where_each_part_was(
    tmp_path: Path, store: Store, at: int
) -> None:
    path = written(tmp_path, [*events(800)[:400], b"nope", *events(800)[400:]])
    core = ingest_over(store, Noting)
    assert isinstance(core, Noting)
    core.dies_at = at
    with pytest.raises(KeyboardInterrupt):
        taken(core, store, path)
    outcome = taken(ingest_over(store), store, path)
    assert outcome.duplicates == 0
    assert outcome.lines == 801
    assert is_whole(store, 800)
    assert len(letters(store)) == 1
    again = taken(ingest_over(store), store, path)
    assert (again.accepted, again.duplicates, again.dead_lettered) == (0, 0, 0)


@pytest.mark.parametrize("others_batch", [7, 60, 100])
def test_two_runs_at_once_take_every_line_once(
    tmp_path: Path, store: Store, others_batch: int
) -> None:
    path = written(tmp_path, events(800))
    other: list[FileOutcome] = []

    def overtaken(_line: int) -> None:
        if not other:
            other.append(taken(ingest_over(store), store, path, batch_size=others_batch))

    outcome = taken(ingest_over(store), store, path, progress=overtaken)
    assert outcome.accepted + other[0].accepted == 800
    assert (outcome.lines, outcome.duplicates, other[0].duplicates) == (800, 0, 0)
    assert is_whole(store, 800)


@pytest.mark.parametrize("count", [2, 3])
def test_each_process_takes_the_parts_of_its_share(
    tmp_path: Path, store: Store, count: int
) -> None:
    path = written(tmp_path, events(800))
    outcomes = [
        taken(ingest_over(store), store, path, share=Share(number, count))
        for number in range(count)
    ]
    assert sum(one.accepted for one in outcomes) == 800
    assert all(one.accepted for one in outcomes)
    assert is_whole(store, 800)


def test_lines_before_damage_are_taken(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "feed.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(events(400)))[:-9])
    with pytest.raises(DamagedFile) as error:
        taken(ingest_over(store), store, path)
    assert is_whole(store, error.value.line)


def test_progress_ascends_to_the_last_line(tmp_path: Path, store: Store) -> None:
    steps: list[int] = []
    path = written(tmp_path, events(1100))
    taken(ingest_over(store), store, path, progress=steps.append)
    assert steps == sorted(steps)
    assert steps[-1] == 1100
    assert len(steps) >= 1100 / 60


def test_long_lines_make_short_transactions_of_a_large_file_too(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "BATCH_BYTES_MAX", 4000)
    core = ingest_over(store, Noting)
    lines = [line + b" " * 600 for line in events(300)]
    taken(core, store, written(tmp_path, lines))
    assert isinstance(core, Noting)
    assert all(sum(len(one.value or b"") for one in batch) <= 5000 for batch in core.batches)
    assert is_whole(store, 300)
