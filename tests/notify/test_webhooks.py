"""Webhooks over real HTTP: signed, in order per patient, at least once, and nobody waits for
somebody else's endpoint."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from standardwebhooks import Webhook

from infra.clock import system_clock
from projections.deliveries import Deliveries, Secret, Subscriber, SubscriberState
from projections.ports import Store
from services.notify.signing import new_secret
from services.notify.subscribing import new_subscriber, with_new_secret
from services.notify.webhooks import Webhooks
from tests.notify.given import store_them, transition
from tests.receiver import Received, Receiver, until

SECRET = new_secret()
QUICK = (0.05,) * 9


def subscribe(
    ledger: Deliveries,
    url: str,
    practices: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
    after: int | None = None,
) -> Subscriber:
    through = ledger.last_transition() if after is None else after
    made = new_subscriber(url, practices, types, SECRET, through, system_clock(), True)
    ledger.add(made)
    return made


@asynccontextmanager
async def delivering(
    store: Store, ledger: Deliveries, waits: tuple[float, ...] = QUICK, **parts: Any
) -> AsyncIterator[Webhooks]:
    given = {"waits": waits, "rest_seconds": 0.05, **parts}
    hooks = Webhooks(store, ledger, system_clock, allow_private=True, **given)
    await hooks.start()
    yield hooks
    await hooks.stop()


def found(ledger: Deliveries, subscriber: Subscriber) -> Subscriber:
    return next(s for s in ledger.subscribers() if s.id == subscriber.id)


async def test_a_transition_arrives_as_the_specification_says(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    """Verified by the specification's own library; thin, with the ids of every other sink."""
    subscribe(ledger, endpoint.url)
    row = transition(3)
    async with delivering(store, ledger) as hooks:
        store_them(store, [row])
        await until(lambda: hooks.sent == 1)
    (got,) = endpoint.got
    assert got.id == "p1-pt1-threshold.reached.3"
    assert got.headers["content-type"] == "application/json"
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 30
    document = Webhook(SECRET).verify(got.body, got.headers)
    assert document == {
        "id": got.id,
        "type": "threshold.reached.v1",
        "timestamp": document["timestamp"],
        "data": json.loads(row.body),
    }


async def test_history_is_not_sent_unless_it_was_asked_for(
    store: Store, ledger: Deliveries, endpoint: Receiver, other: Receiver
) -> None:
    store_them(store, [transition(n) for n in (1, 2, 3)])
    subscribe(ledger, endpoint.url)
    subscribe(ledger, other.url, after=1)
    async with delivering(store, ledger):
        store_them(store, [transition(4)])
        await until(lambda: len(other.got) == 3 and len(endpoint.got) == 1)
    assert [i[-1] for i in endpoint.ids()] == ["4"]
    assert [i[-1] for i in other.ids()] == ["2", "3", "4"]


async def test_a_subscriber_is_sent_what_its_filters_name(
    store: Store, ledger: Deliveries, endpoint: Receiver, other: Receiver
) -> None:
    subscribe(ledger, endpoint.url, practices=("p1",), types=("claim.diverged",))
    subscribe(ledger, other.url)
    rows = [
        transition(1, practice=practice, type=type)
        for practice in ("p1", "p2")
        for type in ("claim.diverged", "month.at-risk")
    ]
    async with delivering(store, ledger):
        store_them(store, rows)
        await until(lambda: len(other.got) == 4)
    assert endpoint.ids() == ["p1-pt1-claim.diverged.1"]


async def test_while_a_secret_is_rotated_both_verify(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    made, fresh = subscribe(ledger, endpoint.url), new_secret()
    ledger.set_secrets(made.id, with_new_secret(made, fresh, 60_000_000, system_clock()))
    async with delivering(store, ledger):
        store_them(store, [transition()])
        await until(lambda: len(endpoint.got) == 1)
    (got,) = endpoint.got
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    Webhook(SECRET).verify(got.body, got.headers)
    Webhook(fresh).verify(got.body, got.headers)


async def test_an_expired_secret_signs_no_more(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    made, fresh = subscribe(ledger, endpoint.url), new_secret()
    ledger.set_secrets(made.id, [Secret(fresh), Secret(SECRET, system_clock() - 1)])
    async with delivering(store, ledger):
        store_them(store, [transition()])
        await until(lambda: len(endpoint.got) == 1)
    (got,) = endpoint.got
    Webhook(fresh).verify(got.body, got.headers)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(got.body, got.headers)


def failing(times: int, of: Callable[[Received], bool]) -> Callable[[Received], Any]:
    """Answers 500 to the first tries of some requests."""
    left = {"n": times}

    def answer(got: Received) -> tuple[int, dict[str, str]]:
        if of(got) and left["n"] > 0:
            left["n"] -= 1
            return 500, {}
        return 204, {}

    return answer


async def test_a_failed_delivery_is_tried_again_and_keeps_its_patients_order(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    """pt1's second waits for its first; pt2 waits for nobody. Retries have equal bytes."""
    subscribe(ledger, endpoint.url)
    endpoint.answer = failing(3, lambda got: got.id == "p1-pt1-threshold.reached.1")
    numbers = (1, 2, 3)
    async with delivering(store, ledger) as hooks:
        store_them(store, [transition(n, p) for n in numbers for p in ("pt1", "pt2")])
        await until(lambda: hooks.sent == 6)
    of = {p: [i[-1] for i in endpoint.ids() if f"-{p}-" in i] for p in ("pt1", "pt2")}
    assert of["pt1"] == ["1", "1", "1", "1", "2", "3"]
    assert of["pt2"] == ["1", "2", "3"]
    firsts = [got for got in endpoint.got if got.id == "p1-pt1-threshold.reached.1"]
    assert len({got.body for got in firsts}) == 1


async def test_a_slow_subscriber_delays_nobody_else(
    store: Store, ledger: Deliveries, endpoint: Receiver, other: Receiver
) -> None:
    endpoint.delay = 2.0
    subscribe(ledger, endpoint.url)
    subscribe(ledger, other.url)
    async with delivering(store, ledger):
        store_them(store, [transition(1, f"pt{n}") for n in range(40)])
        began = time.monotonic()
        await until(lambda: len(other.got) == 40)
        assert time.monotonic() - began < 1.8
        store_them(store, [transition(2, "pt1")])
        await until(lambda: len(other.got) == 41, 1.0)


async def test_gone_disables_the_subscriber_and_resuming_sends_what_waited(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    made = subscribe(ledger, endpoint.url)
    endpoint.answer = lambda _: (410, {})
    async with delivering(store, ledger) as hooks:
        store_them(store, [transition(1)])
        await until(lambda: found(ledger, made).state is SubscriberState.DISABLED)
        store_them(store, [transition(2)])
        await asyncio.sleep(1.3)  # a listing and more
        assert len(endpoint.got) == 1
        assert "410" in found(ledger, made).reason
        endpoint.answer = lambda _: (204, {})
        ledger.requeue(made.id, system_clock())
        ledger.set_state(made.id, SubscriberState.ACTIVE, "")
        await until(lambda: hooks.sent == 2)
    assert [i[-1] for i in endpoint.ids()] == ["1", "1", "2"]


async def test_an_endpoint_that_asks_for_rest_gets_it(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    """Nothing at all is sent for the time it named; not one more patient's first."""
    made = subscribe(ledger, endpoint.url)
    endpoint.answer = lambda _: (429, {"retry-after": "2"})
    async with delivering(store, ledger) as hooks:
        store_them(store, [transition(1, "pt1")])
        await until(lambda: found(ledger, made).held_until_us > 0)
        endpoint.answer = lambda _: (204, {})
        store_them(store, [transition(1, f"pt{n}") for n in range(2, 6)])
        began = time.monotonic()
        await until(lambda: hooks.sent == 5)
        assert time.monotonic() - began > 1.0
    assert len(endpoint.got) == 6
    assert endpoint.got[1].at - endpoint.got[0].at >= 1.9


async def test_tries_that_run_out_are_kept_as_failed_and_can_be_sent_again(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    made = subscribe(ledger, endpoint.url)
    endpoint.answer = lambda _: (500, {})
    async with delivering(store, ledger, waits=(0.01, 0.01)) as hooks:
        store_them(store, [transition(1), transition(2)])
        await until(lambda: found(ledger, made).state is SubscriberState.DISABLED, 20)
        assert found(ledger, made).reason == "nothing was taken through all tries: 500"
        assert endpoint.ids() == ["p1-pt1-threshold.reached.1"] * 3
        assert ledger.counts(made.id) == {"pending": 1, "failed": 1}
        endpoint.answer = lambda _: (204, {})
        ledger.requeue(made.id, system_clock())
        ledger.set_state(made.id, SubscriberState.ACTIVE, "")
        await until(lambda: hooks.sent == 2)
    assert [i[-1] for i in endpoint.ids()][3:] == ["1", "2"]


async def test_a_dead_endpoint_is_not_hammered_by_all_its_patients(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    """One round, then one patient at a time with rests between."""
    subscribe(ledger, endpoint.url)
    endpoint.answer = lambda _: (500, {})
    async with delivering(store, ledger, waits=(60.0,) * 9, rest_seconds=1.0):
        store_them(store, [transition(1, f"pt{n}") for n in range(200)])
        await until(lambda: len(endpoint.got) >= 16)
        await asyncio.sleep(1.0)
    assert len(endpoint.got) <= 18


async def test_a_paused_subscriber_hears_it_all_afterwards(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    made = subscribe(ledger, endpoint.url)
    ledger.set_state(made.id, SubscriberState.PAUSED, "")
    async with delivering(store, ledger) as hooks:
        store_them(store, [transition(n) for n in (1, 2, 3)])
        await asyncio.sleep(0.7)
        assert endpoint.got == []
        ledger.set_state(made.id, SubscriberState.ACTIVE, "")
        await until(lambda: hooks.sent == 3)
    assert [i[-1] for i in endpoint.ids()] == ["1", "2", "3"]


async def test_neither_a_restart_nor_an_old_position_sends_anything_again(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    made = subscribe(ledger, endpoint.url)
    async with delivering(store, ledger) as hooks:
        store_them(store, [transition(1, f"pt{n}") for n in range(30)])
        await until(lambda: hooks.sent == 30)
    through = found(ledger, made).read_through
    assert ledger.enqueue(made.id, through, 0, [], system_clock())  # as if it had read nothing
    async with delivering(store, ledger):
        await until(lambda: found(ledger, made).read_through == through)
        await asyncio.sleep(0.3)
    assert len(endpoint.got) == 30


async def test_stopping_sends_what_is_stored(
    store: Store, ledger: Deliveries, endpoint: Receiver
) -> None:
    subscribe(ledger, endpoint.url)
    async with delivering(store, ledger):
        await asyncio.sleep(0.3)
        store_them(store, [transition(1, f"pt{n}") for n in range(50)])
    assert len(endpoint.got) == 50


async def test_secrets_and_patients_are_in_no_log(
    store: Store, ledger: Deliveries, endpoint: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    subscribe(ledger, endpoint.url + "?token=hidden")
    endpoint.answer = lambda _: (500, {})
    with caplog.at_level(0):
        async with delivering(store, ledger, waits=(0.01,)):
            store_them(store, [transition(1, "pt-4711")])
            await until(lambda: len(endpoint.got) == 2)
    said = [r.getMessage() for r in caplog.records if r.name.startswith("caretally")]
    assert any("fails: 500" in line for line in said)
    for line in said:
        assert SECRET not in line
        assert "4711" not in line
        assert "hidden" not in line
