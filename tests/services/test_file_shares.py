"""A file taken by several processes: each line once, one patient to one process, as if by one."""

from __future__ import annotations

import gzip
import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from services.doors.files import FileOutcome, ingest_file
from services.doors.lines import DamagedFile
from services.doors.shares import WHOLE, Share
from services.doors.together import Progress, ShareFailed, take_together
from tests.services.command import Command
from tests.services.door_store import ingest_over, letters, logged, opened, written
from tests.services.wire_examples import cloudevent, raw

PATIENTS = 23


def events(count: int) -> list[bytes]:
    return [
        raw(cloudevent(id=f"e{number}", subject=f"pt{number % PATIENTS}"))
        for number in range(count)
    ]


def part_of(share: Share, line: bytes, count: int) -> int | None:
    (part,) = share.parts_of([line], count)
    return part


def share_of(path: Path, folder: Path, share: Share, progress: Progress) -> FileOutcome:
    store = opened(folder)
    try:
        return ingest_file(
            ingest_over(store), store, path, batch_size=50, progress=progress, share=share
        )
    finally:
        store.close()


def dying(path: Path, folder: Path, share: Share, progress: Progress) -> FileOutcome:
    """The second of the processes is killed after its first transaction."""

    def killed(_: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    return share_of(path, folder, share, killed if share.number == 1 else progress)


def ids(folder: Path) -> list[str]:
    store = opened(folder)
    try:
        return sorted(json.loads(event.state)["id"] for event in logged(store))
    finally:
        store.close()


@pytest.mark.parametrize("shares", [2, 3])
def test_every_line_is_taken_once_by_whichever_share_holds_it(tmp_path: Path, shares: int) -> None:
    path = written(tmp_path, [*events(600), *events(40), b"nope"])
    opened(tmp_path).close()
    seen: list[int] = []
    outcome = take_together(partial(share_of, path, tmp_path), shares, seen.append)
    assert (outcome.accepted, outcome.duplicates, outcome.dead_lettered) == (600, 40, 1)
    assert ids(tmp_path) == sorted(f"e{n}" for n in range(600))
    assert seen
    assert seen == sorted(seen)
    again = take_together(partial(share_of, path, tmp_path), shares)
    assert (again.accepted, again.duplicates, again.dead_lettered) == (0, 0, 0)


def test_the_dead_letters_name_the_lines_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, [*events(5), b"nope", *events(5)])
    opened(tmp_path).close()
    take_together(partial(share_of, path, tmp_path), 2)
    store = opened(tmp_path)
    assert [letter.origin for letter in letters(store)] == ["file:feed.jsonl:6"]
    store.close()


def test_a_killed_process_is_told_and_a_second_run_takes_what_it_left(tmp_path: Path) -> None:
    path = written(tmp_path, events(900))
    opened(tmp_path).close()
    with pytest.raises(ShareFailed):
        take_together(partial(dying, path, tmp_path), 2)
    assert len(ids(tmp_path)) < 900
    outcome = take_together(partial(share_of, path, tmp_path), 2)
    assert outcome.duplicates == 0
    assert ids(tmp_path) == sorted(f"e{n}" for n in range(900))


def test_what_one_process_raises_is_raised_after_the_others_have_ended(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(events(400)))[:-9])
    opened(tmp_path).close()
    with pytest.raises(DamagedFile):
        take_together(partial(share_of, path, tmp_path), 2)
    assert 390 <= len(ids(tmp_path)) < 400


def test_all_lines_of_a_patient_are_of_one_share_however_they_are_spaced() -> None:
    shares = [Share(number, 4) for number in range(4)]
    for number in range(50):
        told = cloudevent(id=f"e{number}", subject=f"pt{number}")
        forms = [json.dumps(told).encode(), json.dumps(told, separators=(",", ":")).encode()]
        holders = [
            [share.number for share in shares if part_of(share, form, 1) == 0] for form in forms
        ]
        assert len(holders[0]) == 1
        assert holders[0] == holders[1]
    assert [part_of(share, b"nope", 1) for share in shares] == [0, None, None, None]
    assert part_of(WHOLE, b"nope", 1) == 0


def test_a_line_is_of_the_part_that_would_hold_it_as_a_share_of_its_own() -> None:
    found = set()
    for line in events(200):
        for share in (Share(0, 2), Share(1, 2)):
            part = part_of(share, line, 4)
            holders = [n for n, p in enumerate(share.parts(4)) if part_of(p, line, 1) == 0]
            assert holders == ([] if part is None else [part])
            found.add((share.number, part))
    assert len(found) == 10


def test_the_command_takes_a_file_by_several_processes(tmp_path: Path) -> None:
    path, command = written(tmp_path, events(300)), Command(tmp_path)
    done = command.start("ingest", path, "--processes", 2, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["accepted"] == 300
    assert len(command("assessments").lines()) == PATIENTS
