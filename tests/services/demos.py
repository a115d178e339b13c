"""A small clinic of the demo: runs of it, its store, and what it sends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.codec import decode_event
from infra.eventstore import open_store
from projections.ports import Store
from services.demo.clinic import SOURCE, Clinic
from services.demo.folder import DemoFolder
from services.demo.vocabulary import to_line
from services.replay import Replay

TODAY = date(2025, 11, 24)
PATIENTS = 60
STORY_EVENTS = 70
"""Messages of today by which each kind of moment has come."""
RUN_SECONDS_MAX = 60
NOW_US = 1_741_188_061_000_000

ARGUMENTS = ["--today", TODAY.isoformat(), "--seed", "7", "--patients", str(PATIENTS)]


def clinic() -> Clinic:
    return Clinic(7, TODAY, PATIENTS)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.cli.main", *arguments]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        env={**os.environ, **environ},
        check=False,
    )


@contextmanager
def store_in(folder: Path) -> Iterator[Store]:
    store = open_store(DemoFolder(folder).database_url)
    try:
        yield store
    finally:
        store.close()


def stored_live(store: Store) -> list[str]:
    """The ids of today's messages in the log; they ascend through the day."""
    events = map(decode_event, store.log(0, 1_000_000))
    return sorted(e.id for e in events if e.source == SOURCE and e.id.startswith("live"))


def replayed(lines: list[bytes]) -> list[bytes]:
    replay = Replay()
    for line in lines:
        replay.take(line)
    return [assessment_json(answer) for answer in replay.answers(BOOK, lambda _: Policy())]


def sent_lines(live_messages: int) -> list[bytes]:
    """The whole history and the first messages of today, as lines."""
    told = list(clinic().live())[:live_messages]
    return [*map(to_line, clinic().history()), *(to_line(one.event) for one in told)]
