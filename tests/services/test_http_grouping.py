"""What the HTTP door does when the store fails or is slow: 503, and requests share transactions."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from projections.ports import Batch, Store
from services.doors import group
from services.doors.http import PATH, routes
from services.ingest import Delivery, Ingest, Outcome
from tests.here import HERE
from tests.services.door_store import ingest_over, letters, logged
from tests.services.http_door import STRUCTURED, batch, check_problem, ids, post, served, store
from tests.services.wire_examples import changed, cloudevent, raw

__all__ = ["store"]


def test_an_outage_is_503_and_the_event_can_be_sent_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails as a full disk would; what was refused then is taken afterwards."""
    down = threading.Event()
    down.set()
    commit = store.commit

    def failing(batch: Batch) -> None:
        if down.is_set():
            raise OSError("no space left on device")
        commit(batch)

    monkeypatch.setattr(store, "commit", failing)
    with served(Starlette(routes=[*routes(ingest_over(store))], middleware=HERE)) as client:
        answer = post(client, cloudevent())
        check_problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
        assert "device" not in answer.text
        check_problem(batch(client, [cloudevent(), 17]), 503)
        assert (logged(store), letters(store)) == ([], [])
        down.clear()
        assert post(client, cloudevent()).status_code == 202


class Gated(Ingest):
    """An ingest core whose transactions wait for a gate, as they would for a slow disk."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.gate = threading.Event()
        self.sizes: list[int] = []

    def take(self, deliveries: Any, *args: Any, **named: Any) -> Outcome:
        self.sizes.append(len(deliveries))
        assert self.gate.wait(30)
        return super().take(deliveries, *args, **named)


def until(condition: Any) -> None:
    """Wait until something holds; fails after ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_requests_that_arrive_during_a_transaction_share_the_next(store: Store) -> None:
    """None is answered before its own transaction; each learns its own events' fate."""
    ingest = ingest_over(store, Gated)
    assert isinstance(ingest, Gated)
    bad = changed(cloudevent(id="b"), "data.activity", 1)
    with (
        served(Starlette(routes=[*routes(ingest)], middleware=HERE)) as client,
        ThreadPoolExecutor(40) as pool,
    ):
        first = pool.submit(post, client, cloudevent(id="e0"))
        until(lambda: ingest.sizes == [1])
        mixed = pool.submit(batch, client, [bad, cloudevent(id="good")])
        rest = [pool.submit(post, client, cloudevent(id=f"e{n}")) for n in range(1, 31)]
        conflict = pool.submit(post, client, changed(cloudevent(id="e0"), "data.activity", "x"))
        time.sleep(0.5)  # time enough to answer before the commit, were that what it did
        assert not any(answer.done() for answer in [first, mixed, conflict, *rest])
        assert logged(store) == []
        ingest.gate.set()
        assert [answer.result().status_code for answer in [first, *rest]] == [202] * 31
        assert mixed.result().json()["rejected"][0]["index"] == 0
        assert conflict.result().status_code == 409
    assert sum(ingest.sizes) == 34
    assert len(ingest.sizes) < 10
    assert sorted(ids(store)) == sorted([f"e{n}" for n in range(31)] + ["good"])


def test_too_many_waiting_events_are_turned_away_not_piled_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "WAITING_DELIVERIES_MAX", 3)
    ingest = ingest_over(store, Gated)
    assert isinstance(ingest, Gated)
    with (
        served(Starlette(routes=[*routes(ingest)], middleware=HERE)) as client,
        ThreadPoolExecutor(5) as pool,
    ):
        first = pool.submit(post, client, cloudevent(id="e0"))
        until(lambda: ingest.sizes == [1])
        second = pool.submit(batch, client, [cloudevent(id="e1"), cloudevent(id="e2")])
        time.sleep(0.3)
        answer = batch(client, [cloudevent(id="e3"), cloudevent(id="e4")])
        check_problem(answer, 503)
        ingest.gate.set()
        assert (first.result().status_code, second.result().status_code) == (202, 202)
    assert sorted(ids(store)) == ["e0", "e1", "e2"]


def test_a_sender_that_goes_away_neither_undoes_nor_blocks_anything(store: Store) -> None:
    ingest = ingest_over(store, Gated)
    assert isinstance(ingest, Gated)
    with served(Starlette(routes=[*routes(ingest)], middleware=HERE)) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(PATH, content=raw(cloudevent()), headers=STRUCTURED, timeout=0.3)
        ingest.gate.set()
        assert post(client, cloudevent(id="e2")).status_code == 202
    assert ids(store) == ["e1", "e2"]


def test_a_transaction_takes_whole_requests_up_to_its_size(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is grouped in order; a request is never split, a large one goes alone."""
    monkeypatch.setattr(group, "GROUP_DELIVERIES", 5)
    ingest = ingest_over(store, Gated)
    assert isinstance(ingest, Gated)

    async def scenario() -> None:
        queue = group.GroupCommit(ingest)
        asked: list[asyncio.Task[group.Results]] = []
        for size in (1, 2, 3, 1, 9, 5):
            deliveries = [delivery(f"r{len(asked)}-{number}") for number in range(size)]
            asked.append(asyncio.create_task(queue.take(deliveries)))
            await asyncio.sleep(0.05 if size == 1 else 0)
        ingest.gate.set()
        assert [await answer for answer in asked] == [[None] * n for n in (1, 2, 3, 1, 9, 5)]

    asyncio.run(scenario())
    assert ingest.sizes == [1, 5, 1, 9, 5]


def delivery(id: str) -> Delivery:
    return Delivery(raw(cloudevent(id=id)), None, (), "http")


def test_a_cancelled_caller_does_not_take_its_group_along(store: Store) -> None:
    """Its own events stay in, and the others of its transaction are answered."""
    ingest = ingest_over(store, Gated)
    assert isinstance(ingest, Gated)

    async def scenario() -> None:
        queue = group.GroupCommit(ingest)
        one, two = (asyncio.create_task(queue.take([delivery(id)])) for id in ("e1", "e2"))
        await asyncio.sleep(0.1)
        one.cancel()
        ingest.gate.set()
        assert await two == [None]

    asyncio.run(scenario())
    assert ids(store) == ["e1", "e2"]
