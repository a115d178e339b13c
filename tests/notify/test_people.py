"""Messages for people: gathered, counted, and about no patient."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from projections.deliveries import Deliveries
from projections.ports import Store
from services.notify.people import PeopleSink, channel, sink_name, words
from tests.notify.given import store_them, transition
from tests.receiver import Receiver, until


@asynccontextmanager
async def telling(
    store: Store, ledger: Deliveries, endpoint: Receiver, gather: float = 0.0
) -> AsyncIterator[PeopleSink]:
    sink = PeopleSink(f"json://127.0.0.1:{endpoint.port}/hook", store, ledger, gather)
    ledger.begin(sink.name)
    await sink.start()
    yield sink
    await sink.stop()


async def test_a_channel_gets_counts_and_opaque_ids_of_what_comes(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    """Over apprise's own HTTP channel. One message a practice, and nothing of before."""
    store_them(store, [transition(1, "old")])
    rows = [transition(1, f"pt{n}") for n in range(1, 8)]
    async with telling(store, ledger, endpoint) as sink:
        store_them(store, [*rows, transition(2, "old"), transition(1, "pt9", "p2")])
        await until(lambda: sink.sent == 9)
    documents = [got.json for got in endpoint.got]
    assert [d["title"] for d in documents] == [
        "caretally p1: 7 raised, 1 resolved",
        "caretally p2: 1 raised, 0 resolved",
    ]
    assert "threshold.reached raised: 7 (p1-pt1-threshold.reached, " in documents[0]["message"]
    assert documents[0]["message"].count("-pt") == 5


async def test_what_comes_close_together_is_one_message(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    async with telling(store, ledger, endpoint, gather=1.0) as sink:
        store_them(store, [transition(1, "a")])
        await until(lambda: sink.sent == 1)
        for n in range(10):
            store_them(store, [transition(1, f"b{n}")])
        await until(lambda: sink.sent == 11)
    assert [got.json["title"] for got in endpoint.got] == [
        "caretally p1: 1 raised, 0 resolved",
        "caretally p1: 10 raised, 0 resolved",
    ]


async def test_a_channel_that_fails_is_waited_for(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    endpoint.answer = lambda _: (500, {})
    async with telling(store, ledger, endpoint) as sink:
        store_them(store, [transition(1)])
        await until(lambda: sink.outage == "the channel did not take it")
        endpoint.answer = lambda _: (200, {})
        await until(lambda: sink.sent == 1)
    assert store.delivered(sink.name) == 1


def test_the_ledgers_name_of_a_channel_shows_nothing_of_its_address() -> None:
    name = sink_name("slack://tokenA/tokenB/tokenC")
    assert name.startswith("people:")
    assert "token" not in name
    assert name != sink_name("slack://tokenA/tokenB/tokenD")


def test_words_name_no_patient() -> None:
    row = transition(1, patient="pt-4711")
    opaque = row.state.alert_id
    title, body = words([row])
    assert "pt-4711" not in (title + body).replace(opaque, "")


def test_what_is_no_channel_is_refused_without_its_secrets() -> None:
    with pytest.raises(ValueError, match=r"expected URLs of apprise; found nonsense://…$"):
        channel("nonsense://secret")
