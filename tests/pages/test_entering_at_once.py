"""Several people, or one with several tabs, save at the same moment from several processes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest

from infra.eventstore import open_store
from services.histories import history_of
from services.ingest import Ingest
from services.pages.enter.entering import Asks, SavedBefore, Saying, Wish, enter
from services.pages.enter.names import new_entry_id
from tests.audit.growing import FIRST_US, GrowingLog
from tests.given import ready
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

PEOPLE, ROUNDS = 4, 3
ACT = UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store.db"


def wish(act: UUID, minutes: int = 10) -> Wish:
    """The same ten minutes of the same morning, whoever logs them."""
    data = {
        "entry_id": new_entry_id(act),
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "care_coordination",
        "started_at": "2025-03-05T09:00:00-05:00",
        "ended_at": f"2025-03-05T09:{minutes}:00-05:00",
    }
    return Wish(act, "p1", "pt1", (Saying("time.logged.v1", data),), "Ada Byron")


def one(url: str, log: GrowingLog, wanted: Wish, start: Barrier, late_us: int) -> str:
    """A save from a process of its own, whose clock is not quite that of the others."""
    store = open_store(url)
    parts = replace(log.parts, store=store, clock=lambda: log.now_us + late_us)
    core = Ingest(store, parts.clock, parts.book, parts.settings.policy_of)
    start.wait()
    try:
        return "saved " + enter(parts, core, wanted)[0]
    except (Asks, SavedBefore) as error:
        return type(error).__name__
    finally:
        store.close()


def at_once(url: str, wishes: list[Wish]) -> tuple[Counter[str], int]:
    """What became of each, and how many entries are in the log."""
    log = GrowingLog(open_store(url))
    log.take(ready("2025-03"), FIRST_US)
    start = Barrier(len(wishes))
    with ThreadPoolExecutor(len(wishes)) as pool:
        jobs = [
            pool.submit(one, url, log, wanted, start, number * 1_700_000)
            for number, wanted in enumerate(wishes)
        ]
        said = Counter(job.result() for job in jobs)
    stored = history_of(log.store, "p1", "pt1").stored
    log.store.close()
    return said, sum(row.name == "time.logged.v1" for row in stored)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_one_form_sent_from_everywhere_is_one_fact(url: str, _round: int) -> None:
    said, entries = at_once(url, [wish(ACT)] * PEOPLE)
    assert (len(said), entries) == (1, 1)
    assert next(iter(said)).startswith("saved")


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_nobody_saves_over_a_warning_that_they_did_not_see(url: str, _round: int) -> None:
    """Everybody logs the same minutes: whoever is first saves, all others are asked."""
    said, entries = at_once(url, [wish(uuid4()) for _ in range(PEOPLE)])
    assert entries == 1
    assert said["Asks"] == PEOPLE - 1


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_one_form_with_two_contents_is_taken_for_neither(url: str, _round: int) -> None:
    said, entries = at_once(url, [wish(ACT), wish(ACT, minutes=12)])
    assert entries == 1
    assert said["SavedBefore"] == 1
