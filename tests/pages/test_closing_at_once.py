"""Two people close the same month at the same moment, from two processes over one database."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest

from domain.facts import MonthClaimed
from infra.eventstore import open_store
from services.histories import history_of
from services.ingest import Busy, Ingest
from services.pages.close.acting import perform
from services.pages.close.selecting import Selected, Stale
from tests.audit.growing import GrowingLog
from tests.given import ready, staff
from tests.pages.closing import BEGIN_US, MONTH, act, of, row_of, selected
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

PEOPLE, PATIENTS, ROUNDS = 4, 12, 3


def one(url: str, log: GrowingLog, own: list[Selected], start: Barrier) -> str:
    """One person's act, from a process of its own: what became of it."""
    store = open_store(url)
    parts = replace(log.parts, store=store)
    core = Ingest(store, parts.clock, parts.book, parts.settings.policy_of)
    wanted = act(log, chosen=own, id=uuid4())
    start.wait()
    try:
        assert perform(parts, core, wanted) == len(own)
    except (Stale, Busy) as error:
        return type(error).__name__
    finally:
        store.close()
    return "taken"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store.db"


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_each_month_is_claimed_once_and_everybody_else_is_told(url: str, _round: int) -> None:
    """All of them want the first month, and some others each: whoever is first takes all of
    theirs, and of an act that came too late nothing is in the log."""
    log = GrowingLog(open_store(url))
    names = [f"pt{number}" for number in range(PATIENTS)]
    for name in names:
        log.take(of(name, [*ready(MONTH), staff("t1", "2025-03-05", 1_260)]), BEGIN_US)
    chosen, start = selected(log, *names), Barrier(PEOPLE)
    with ThreadPoolExecutor(PEOPLE) as pool:
        acts = [
            pool.submit(one, url, log, [chosen[0], *chosen[1 + person :: PEOPLE]], start)
            for person in range(PEOPLE)
        ]
        outcomes = Counter(each.result() for each in acts)
    assert outcomes["taken"] == 1
    claims = [
        name
        for name in names
        for event in history_of(log.store, "p1", name).events
        if isinstance(event.fact, MonthClaimed)
    ]
    assert len(claims) == len(set(claims)) > 1
    assert [n for n in names if row_of(log, n).status == "claimed"] == claims
    log.store.close()
