"""Files in: every line once, wherever a run was killed, whatever is wrong with the file."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.ports import Store
from services.doors.files import LENGTH_HEADER, FileOutcome, ingest_file
from services.doors.lines import LINE_BYTES_KEPT, DamagedFile
from services.ingest.core import Ingest, Outcome
from services.wire.limits import MESSAGE_BYTES_MAX
from tests.services.door_store import ingest_over, letters, logged, opened, written
from tests.services.wire_examples import cloudevent, raw


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = opened(tmp_path)
    yield found
    found.close()


def events(count: int, first: int = 0) -> list[bytes]:
    """Different events of a few patients, one a line."""
    return [
        raw(cloudevent(id=f"e{number}", subject=f"pt{number % 7}"))
        for number in range(first, first + count)
    ]


def ids(store: Store) -> list[str]:
    return sorted(json.loads(event.state)["id"] for event in logged(store))


def wanted(count: int) -> list[str]:
    return sorted(f"e{number}" for number in range(count))


def taken(store: Store, path: Path, **options: Any) -> FileOutcome:
    return ingest_file(ingest_over(store), store, path, **options)


def test_every_line_of_a_file_is_taken_once(tmp_path: Path, store: Store) -> None:
    steps: list[int] = []
    path = written(tmp_path, events(25))
    outcome = taken(store, path, batch_size=10, progress=steps.append)
    assert (outcome.lines, outcome.accepted, outcome.duplicates) == (25, 25, 0)
    assert steps == [10, 20, 25]
    assert ids(store) == wanted(25)


@pytest.mark.parametrize("name", ["feed.jsonl", "feed.jsonl.gz"])
@pytest.mark.parametrize("packed", [True, False])
def test_gzip_is_known_by_its_bytes_not_by_its_name(
    tmp_path: Path, store: Store, name: str, packed: bool
) -> None:
    path = written(tmp_path, events(5), name)
    if packed:  # two members, as a log rotator appends them
        whole = path.read_bytes()
        path.write_bytes(gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
    assert taken(store, path).accepted == 5
    assert ids(store) == wanted(5)


def test_blank_lines_marks_and_line_ends_do_not_matter_but_numbers_do(
    tmp_path: Path, store: Store
) -> None:
    one, two = events(2)
    path = tmp_path / "feed.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + one + b"\r\n\r\n  \t\nnope\n\n" + two)
    outcome = taken(store, path)
    assert (outcome.accepted, outcome.dead_lettered, outcome.lines) == (2, 1, 6)
    (letter,) = letters(store)
    assert (letter.origin, letter.reason, letter.value) == (
        "file:feed.jsonl:4",
        "not-json",
        b"nope",
    )


def test_a_file_of_blank_lines_or_none_is_taken_without_complaint(
    tmp_path: Path, store: Store
) -> None:
    for text in (b"", b"\n\n \n"):
        path = tmp_path / "empty.jsonl"
        path.write_bytes(text)
        outcome = taken(store, path)
        assert (outcome.accepted, outcome.dead_lettered) == (0, 0)


# --- resuming ---------------------------------------------------------------------------------


class Killed(BaseException):
    """As sudden as a signal: nothing on the way may swallow it."""


def dying(at: int, after_commit: bool) -> type[Ingest]:
    """An ingest core whose process dies at its transaction number `at`, before it or after it."""

    class Dying(Ingest):
        calls = 0

        def take(self, *args: Any, **named: Any) -> Outcome:
            self.calls += 1
            if self.calls == at and not after_commit:
                raise Killed
            outcome = super().take(*args, **named)
            if self.calls == at:
                raise Killed
            return outcome

    return Dying


@pytest.mark.parametrize("after_commit", [True, False])
@pytest.mark.parametrize("at", [1, 2, 3, 5])
def test_a_run_that_dies_between_or_after_transactions_is_taken_up_where_it_stopped(
    tmp_path: Path, store: Store, at: int, after_commit: bool
) -> None:
    path = written(tmp_path, [*events(25)[:12], b"nope", *events(25)[12:]])
    with pytest.raises(Killed):
        ingest_file(ingest_over(store, dying(at, after_commit)), store, path, batch_size=6)
    done = min(6 * (at - 1 + after_commit), 26)
    outcome = taken(store, path, batch_size=6)
    assert (outcome.resumed_after, outcome.lines, outcome.duplicates) == (done, 26, 0)
    assert ids(store) == wanted(25)
    assert len(letters(store)) == 1


RUN = """
import sys
from pathlib import Path
from services.doors.files import ingest_file
from tests.services.door_store import ingest_over, opened, written
store = opened(Path(sys.argv[1]))
say = lambda line: print(line, flush=True)
ingest_file(ingest_over(store), store, Path(sys.argv[2]), batch_size=5, progress=say)
"""


def killed_beyond(line: int, command: list[str]) -> int:
    """SIGKILL a run as soon as it says that it is beyond this line; its exit code."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < line:
            pass
        os.kill(process.pid, signal.SIGKILL)
    return process.returncode


def test_a_process_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """SIGKILL in the middle of several transactions of one file, then a run to the end."""
    path = written(tmp_path, [*events(2000), b"nope", *events(2000, 2000)])
    command = [sys.executable, "-c", RUN, str(tmp_path), str(path)]
    for line in (5, 600, 1500, 2500):
        assert killed_beyond(line, command) == -signal.SIGKILL
    store = opened(tmp_path)
    outcome = taken(store, path, batch_size=500)
    assert 2500 <= outcome.resumed_after < 4001
    assert (outcome.lines, outcome.duplicates) == (4001, 0)
    assert ids(store) == wanted(4000)
    assert len(letters(store)) == 1
    store.close()


def test_a_finished_file_is_not_taken_again_under_any_name(tmp_path: Path, store: Store) -> None:
    path = written(tmp_path, events(5))
    first = taken(store, path)
    again = taken(store, path.rename(tmp_path / "other.jsonl"))
    assert again.feed == first.feed
    assert (again.resumed_after, again.accepted, again.duplicates) == (5, 0, 0)


def test_a_changed_file_is_a_new_feed_and_what_it_repeats_is_a_duplicate(
    tmp_path: Path, store: Store
) -> None:
    first = taken(store, written(tmp_path, events(5)))
    grown = taken(store, written(tmp_path, events(8)))
    assert grown.feed != first.feed
    assert (grown.resumed_after, grown.accepted, grown.duplicates) == (0, 3, 5)
    assert ids(store) == wanted(8)


@pytest.mark.parametrize("others_batch", [7, 100])
def test_two_runs_of_one_file_at_once_take_every_line_once(
    tmp_path: Path, store: Store, others_batch: int
) -> None:
    path = written(tmp_path, events(30))
    other: list[FileOutcome] = []

    def overtaken(_line: int) -> None:
        if not other:
            other.append(taken(store, path, batch_size=others_batch))

    outcome = taken(store, path, batch_size=10, progress=overtaken)
    assert (outcome.accepted, other[0].accepted) == (10, 20)
    assert (outcome.lines, outcome.duplicates) == (30, 0)
    assert ids(store) == wanted(30)


# --- limits and damage ------------------------------------------------------------------------


def test_an_over_long_line_is_a_dead_letter_and_never_whole_in_memory(
    tmp_path: Path, store: Store
) -> None:
    length = 64 * MESSAGE_BYTES_MAX
    path = tmp_path / "feed.jsonl"
    one, two = events(2)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(one + b"\n")
        for _ in range(64):
            file.write(b"x" * MESSAGE_BYTES_MAX)
        file.write(b"\n" + two + b"\n")
    tracemalloc.start()
    try:
        outcome = taken(store, path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < length / 4
    assert (outcome.accepted, outcome.dead_lettered) == (2, 1)
    (letter,) = letters(store)
    assert (letter.origin, letter.reason) == ("file:feed.jsonl:2", "too-large")
    assert letter.value == b"x" * LINE_BYTES_KEPT
    assert letter.headers == ((LENGTH_HEADER, str(length).encode()),)


def test_a_line_of_exactly_the_limit_is_taken(tmp_path: Path, store: Store) -> None:
    (text,) = events(1)
    full = text + b" " * (MESSAGE_BYTES_MAX - len(text))
    path = tmp_path / "feed.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + full + b"\r\n" + full + b" \n")
    outcome = taken(store, path)
    assert (outcome.accepted, outcome.dead_lettered) == (1, 1)
    assert letters(store)[0].reason == "too-large"


def test_long_lines_make_short_transactions(tmp_path: Path, store: Store) -> None:
    steps: list[int] = []
    full = [text + b" " * (MESSAGE_BYTES_MAX - len(text)) for text in events(15)]
    taken(store, written(tmp_path, full), progress=steps.append)
    assert steps == [8, 15]


def test_lines_before_a_truncation_are_taken_and_the_file_is_named(
    tmp_path: Path, store: Store
) -> None:
    lines = events(2000)
    path = written(tmp_path, lines)
    whole = gzip.compress(path.read_bytes())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedFile, match=r"feed\.jsonl is damaged after line \d+") as error:
        taken(store, path, batch_size=64)
    assert error.value.line > 100
    assert ids(store) == wanted(error.value.line)
    assert letters(store) == []
    path.write_bytes(whole)
    assert taken(store, path).duplicates == error.value.line
    assert ids(store) == wanted(2000)


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[:6], lambda whole: whole[:-4] + b"\0\0\0\0", lambda _: b"\x1f\x8b"],
)
def test_other_damage_is_named_too(tmp_path: Path, store: Store, damage: Any) -> None:
    path = written(tmp_path, events(3))
    path.write_bytes(damage(gzip.compress(path.read_bytes())))
    with pytest.raises(DamagedFile, match="feed"):
        taken(store, path)
    assert letters(store) == []


def test_a_file_that_is_not_there_and_a_batch_of_none_are_refused(
    tmp_path: Path, store: Store
) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        taken(store, tmp_path / "absent.jsonl")
    with pytest.raises(ValueError, match="batch_size"):
        taken(store, written(tmp_path, events(1)), batch_size=0)
