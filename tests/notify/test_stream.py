"""Server-sent events over a real server: exactly what was missed, then what comes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projections.deliveries import Deliveries
from projections.ports import Store
from services.notify.stream import PAGE_MAX, PATH, AlertStream
from tests.here import HERE
from tests.notify.given import store_them, transition
from tests.receiver import served

Event = tuple[int, dict[str, Any]]


@pytest.fixture
def stream(store: Store, ledger: Deliveries) -> AlertStream:
    return AlertStream(store, ledger, heartbeat_seconds=0.3)


@pytest.fixture
def client(stream: AlertStream) -> Iterator[httpx.Client]:
    async def stop(_: Request) -> Response:
        await stream.stop()
        return Response()

    app = Starlette(routes=[*stream.routes(), Route("/stop", stop)], middleware=HERE)
    with served(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as c:
        yield c


class Reader:
    """Reads one connection in a thread of its own, as a page or script would."""

    def __init__(
        self, client: httpx.Client, last_id: int | None = None, **filters: str | list[str]
    ) -> None:
        self.events: list[Event] = []
        self.heartbeats = 0
        self.ended = threading.Event()
        self.open = threading.Event()
        headers = {} if last_id is None else {"last-event-id": str(last_id)}
        self._response = client.stream("GET", PATH, params=filters, headers=headers)
        threading.Thread(target=self._read, daemon=True).start()
        assert self.open.wait(5)

    def _read(self) -> None:
        try:
            with self._response as response:
                self._take(response)
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()

    def _take(self, response: httpx.Response) -> None:
        id = 0
        for line in response.iter_lines():
            self.open.set()
            field, _, value = line.partition(": ")
            if field == "id":
                id = int(value)
            elif field == "data":
                self.events.append((id, json.loads(value)))
            elif line.startswith(":"):
                self.heartbeats += 1

    def wait(self, count: int) -> list[Event]:
        end = time.monotonic() + 10
        while len(self.events) < count:
            assert time.monotonic() < end, f"{len(self.events)} of {count} came"
            time.sleep(0.01)
        return self.events


def names(events: list[Event]) -> list[str]:
    return [document["id"] for _, document in events]


def test_a_new_reader_gets_what_comes_and_no_history(client: httpx.Client, store: Store) -> None:
    store_them(store, [transition(1, "old")])
    reader = Reader(client)
    row = transition(1, "new")
    store_them(store, [row])
    ((id, document),) = reader.wait(1)
    assert id == 2
    assert document["id"] == "p1-new-threshold.reached.1"
    assert document["type"] == "threshold.reached.v1"
    assert document["data"] == json.loads(row.body)


def test_a_reader_that_comes_back_gets_exactly_what_it_missed(
    client: httpx.Client, store: Store
) -> None:
    """Wherever it was cut off: over many pages, and into what comes after."""
    total = 2 * PAGE_MAX + 50
    store_them(store, [transition(1, f"pt{n}") for n in range(1, total + 1)])
    for cut in (0, 1, PAGE_MAX, total - 1):
        events = Reader(client, last_id=cut).wait(total - cut)
        assert [id for id, _ in events] == list(range(cut + 1, total + 1))
    reader = Reader(client, last_id=total)
    store_them(store, [transition(1, "after")])
    assert [id for id, _ in reader.wait(1)] == [total + 1]


def test_readers_all_get_everything_while_it_is_written(client: httpx.Client, store: Store) -> None:
    readers = [Reader(client) for _ in range(5)]
    for n in range(40):
        store_them(store, [transition(1, f"pt{n}")])
    for reader in readers:
        assert [id for id, _ in reader.wait(40)] == list(range(1, 41))


def test_filters_let_through_what_they_name(client: httpx.Client, store: Store) -> None:
    rows = [
        transition(1, practice=practice, type=type)
        for practice in ("p1", "p2")
        for type in ("claim.diverged", "month.at-risk", "threshold.reached")
    ]
    one = Reader(client, practice="p1", type=["claim.diverged", "month.at-risk"])
    other = Reader(client, practice="p2")
    store_them(store, rows)
    assert names(other.wait(3)) == [
        f"p2-pt1-{type}.1" for type in ("claim.diverged", "month.at-risk", "threshold.reached")
    ]
    assert names(one.wait(2)) == ["p1-pt1-claim.diverged.1", "p1-pt1-month.at-risk.1"]


def test_a_quiet_stream_shows_that_it_lives(client: httpx.Client) -> None:
    reader = Reader(client)
    end = time.monotonic() + 5
    while reader.heartbeats < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert reader.events == []


@pytest.mark.parametrize(
    ("params", "last_id", "said"),
    [
        ({"type": "threshold.crossed"}, None, "type: expected one of threshold.approaching"),
        ({}, "yesterday", "Last-Event-ID: expected an event id of ours"),
        ({}, "-1", "Last-Event-ID: expected an event id of ours"),
        ({}, "7", "Last-Event-ID: expected at most 0"),
        ({"last_event_id": "7"}, None, "Last-Event-ID: expected at most 0"),
    ],
)
def test_a_request_that_cannot_be_is_refused_in_words(
    client: httpx.Client, params: dict[str, str], last_id: str | None, said: str
) -> None:
    headers = {"last-event-id": last_id} if last_id else {}
    answer = client.get(PATH, params=params, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(said)


def test_the_place_may_be_in_the_address_for_readers_that_cannot_send_headers(
    client: httpx.Client, store: Store
) -> None:
    store_them(store, [transition(n) for n in (1, 2, 3)])
    reader = Reader(client, last_event_id="1")
    assert [id for id, _ in reader.wait(2)] == [2, 3]


def test_an_outage_ends_streams_in_order_and_refuses_new_ones(
    client: httpx.Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader loses nothing: it comes back with the id that it had last."""
    reader = Reader(client)
    store_them(store, [transition(1)])
    reader.wait(1)

    def out(*_: object) -> None:
        raise OSError("the store is out")

    with monkeypatch.context() as outage:
        outage.setattr(store, "transitions", out)
        outage.setattr(store.recorder, "datastore", None)  # type: ignore[attr-defined]
        assert reader.ended.wait(5)
        answer = client.get(PATH)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    store_them(store, [transition(2)])
    assert names(Reader(client, last_id=1).wait(1)) == ["p1-pt1-threshold.reached.2"]


def test_stopping_ends_the_streams_and_refuses_new_ones(
    client: httpx.Client, stream: AlertStream
) -> None:
    reader = Reader(client)
    began = time.monotonic()
    client.get("/stop")
    assert reader.ended.wait(3)
    assert time.monotonic() - began < 2
    answer = client.get(PATH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert not stream.ready()[0]
