"""HTTP in, over a real server: durable before 202, and every refusal says what to do."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from projections.ports import Batch, Store
from services.doors import group
from services.doors.http import BATCH_BYTES_MAX, PATH, header_value, routes
from services.ingest import Delivery, Ingest, Outcome
from services.wire.limits import MESSAGE_BYTES_MAX
from tests.here import HERE
from tests.services.door_store import ingest_over, letters, logged, opened
from tests.services.wire_examples import GONE, changed, cloudevent, raw

STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


@contextmanager
def served(app: Starlette) -> Iterator[httpx.Client]:
    """A client of a real server on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    port = listener.getsockname()[1]
    limits = httpx.Limits(max_connections=100)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = opened(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Starlette, httpx.Client]]:
    app = Starlette(middleware=HERE)
    with served(app) as client:
        yield app, client


@pytest.fixture
def client(server: tuple[Starlette, httpx.Client], store: Store) -> httpx.Client:
    """The one server, its door over this test's own store."""
    app, client = server
    app.router.routes[:] = routes(ingest_over(store))
    return client


def post(client: httpx.Client, document: Any, headers: dict[str, str] | None = None) -> Any:
    return client.post(PATH, content=raw(document), headers=headers or STRUCTURED)


def batch(client: httpx.Client, documents: list[Any]) -> Any:
    return post(client, documents, BATCH)


def binary(document: dict[str, Any]) -> dict[str, str]:
    """The binary mode's headers, encoded as the binding says."""
    attributes = {name: value for name, value in document.items() if name != "data"}
    coded = {f"ce-{name}": quote(value, safe="/:+ ") for name, value in attributes.items()}
    return {"content-type": "application/json", **coded}


def ids(store: Store) -> list[str]:
    return [json.loads(event.state)["id"] for event in logged(store)]


def check_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


# --- one event --------------------------------------------------------------------------------


def test_a_structured_event_is_in_the_log_when_202_arrives(
    client: httpx.Client, store: Store
) -> None:
    answer = post(client, cloudevent())
    assert (answer.status_code, answer.json()) == (202, {"taken": 1})
    assert ids(store) == ["e1"]


def test_a_binary_event_is_the_same_event_as_a_structured_one(
    client: httpx.Client, store: Store
) -> None:
    """Attributes outside ASCII are percent-encoded; the second sending is a duplicate."""
    document = cloudevent(id="é 100% \N{GRINNING FACE}", subject="pt-é")
    answer = client.post(PATH, content=raw(document["data"]), headers=binary(document))
    assert answer.status_code == 202, answer.text
    assert post(client, document).status_code == 202
    assert ids(store) == ["é 100% \N{GRINNING FACE}"]
    assert logged(store)[0].stream_id == "p1/pt-é"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"plain", b"plain"),
        (b"a%20b%C3%A9", b"a b\xc3\xa9"),
        (b"%2520", b"%20"),
        (b'"a \\"b\\" \\\\ c"', b'a "b" \\ c'),
        (b'"%22"', b'"'),
        (b"50%", b"50%"),
        (b'"', b'"'),
        (b"", b""),
    ],
)
def test_a_header_is_unquoted_then_percent_decoded_once(header: bytes, value: bytes) -> None:
    assert header_value(header) == value


def test_the_same_event_again_is_answered_like_the_first_time(
    client: httpx.Client, store: Store
) -> None:
    for _ in range(2):
        assert post(client, cloudevent()).status_code == 202
    assert ids(store) == ["e1"]


def test_a_refused_event_is_named_and_not_kept(client: httpx.Client, store: Store) -> None:
    bad = changed(cloudevent(), "data.performer.role", "nurse")
    body = check_problem(post(client, bad), 400)
    assert (body["reason"], body["field"]) == ("invalid-member", "data.performer.role")
    assert "clinical_staff" in body["detail"]
    assert (logged(store), letters(store)) == ([], [])


@pytest.mark.parametrize("body", [b"", b"nope", b"[]", b'{"a":1,"a":2}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_event_is_a_problem(
    client: httpx.Client, store: Store, body: bytes
) -> None:
    check_problem(client.post(PATH, content=body, headers=STRUCTURED), 400)
    assert (logged(store), letters(store)) == ([], [])


def test_a_binary_event_without_a_needed_header_is_named(client: httpx.Client) -> None:
    headers = binary(changed(cloudevent(), "subject", GONE))
    answer = client.post(PATH, content=raw(cloudevent()["data"]), headers=headers)
    assert check_problem(answer, 400)["field"] == "subject"
    headers = {**binary(cloudevent()), "ce-time": "%FF"}
    assert check_problem(client.post(PATH, content=b"{}", headers=headers), 400)["field"] == "time"


def test_other_content_under_a_stored_id_is_a_conflict_and_a_dead_letter(
    client: httpx.Client, store: Store
) -> None:
    assert post(client, cloudevent()).status_code == 202
    body = check_problem(post(client, changed(cloudevent(), "data.activity", "other")), 409)
    assert body["reason"] == "conflicting-duplicate"
    assert ids(store) == ["e1"]
    assert [letter.reason for letter in letters(store)] == ["conflicting-duplicate"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"content-type": "text/plain"},
        {"content-type": "application/cloudevents+avro"},
        {**binary(cloudevent()), "content-type": "text/xml"},
        {**binary(cloudevent()), "content-type": "application/cloudevents+xml"},
    ],
)
def test_another_content_type_is_refused_with_those_that_are_taken(
    client: httpx.Client, store: Store, headers: dict[str, str]
) -> None:
    answer = client.post(PATH, content=raw(cloudevent()), headers=headers)
    check_problem(answer, 415)
    assert "application/cloudevents+json" in answer.headers["accept-post"]
    assert logged(store) == []


def test_only_post_is_allowed(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 405


# --- limits -----------------------------------------------------------------------------------


def padded(length: int) -> bytes:
    text = raw(cloudevent())
    return text + b" " * (length - len(text))


def test_a_body_may_be_one_mebibyte_and_not_a_byte_more(client: httpx.Client, store: Store) -> None:
    answer = client.post(PATH, content=padded(MESSAGE_BYTES_MAX), headers=STRUCTURED)
    assert answer.status_code == 202
    answer = client.post(PATH, content=padded(MESSAGE_BYTES_MAX + 1), headers=STRUCTURED)
    assert check_problem(answer, 413)["reason"] == "too-large"
    assert letters(store) == []


def test_a_body_of_unknown_length_meets_the_same_limit(client: httpx.Client) -> None:
    chunks = (b"x" * 65_536 for _ in range(100))
    check_problem(client.post(PATH, content=chunks, headers=STRUCTURED), 413)
    assert post(client, cloudevent()).status_code == 202


def test_a_batch_has_limits_of_its_own(client: httpx.Client, store: Store) -> None:
    answer = client.post(PATH, content=b"[" + b" " * BATCH_BYTES_MAX + b"]", headers=BATCH)
    check_problem(answer, 413)
    check_problem(client.post(PATH, content=raw([1] * 10_001), headers=BATCH), 413)
    assert letters(store) == []


# --- batches ----------------------------------------------------------------------------------


def test_a_good_batch_is_taken_whole(client: httpx.Client, store: Store) -> None:
    answer = batch(client, [cloudevent(id=f"e{number}") for number in range(5)])
    assert (answer.status_code, answer.json()) == (202, {"taken": 5})
    assert ids(store) == [f"e{number}" for number in range(5)]
    assert batch(client, []).json() == {"taken": 0}


def test_in_a_mixed_batch_the_good_are_taken_and_the_bad_listed_and_kept(
    client: httpx.Client, store: Store
) -> None:
    """Bad ones of every kind: wrong member, no event, conflict with an earlier one, too large."""
    long = {**cloudevent(id="e9"), "note": "x" * MESSAGE_BYTES_MAX}
    conflict = changed(cloudevent(id="e1"), "data.activity", "other")
    bad = changed(cloudevent(id="e2"), "data.entry_id", GONE)
    answer = batch(client, [cloudevent(id="e1"), bad, 17, conflict, long, cloudevent(id="e3")])
    assert answer.status_code == 207
    body = answer.json()
    assert body["taken"] == 2
    assert [(item["index"], item["reason"], item["field"]) for item in body["rejected"]] == [
        (1, "missing-member", "data.entry_id"),
        (2, "not-a-cloudevent", ""),
        (3, "conflicting-duplicate", "id"),
        (4, "too-large", ""),
    ]
    assert all(item["detail"] for item in body["rejected"])
    assert sorted(ids(store)) == ["e1", "e3"]
    kept = letters(store)
    assert [letter.value for letter in kept] == [raw(bad), b"17", raw(conflict), raw(long)]
    assert {letter.origin for letter in kept} == {"http"}


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[1,]", b"[" * 100_000, b"\xff", b"[NaN]"])
def test_a_batch_that_is_no_array_is_a_problem_and_nothing_is_kept(
    client: httpx.Client, store: Store, body: bytes
) -> None:
    check_problem(client.post(PATH, content=body, headers=BATCH), 400)
    assert (logged(store), letters(store)) == ([], [])


# --- outages and group commit -----------------------------------------------------------------


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
    assert ids(store) == ["e1"]


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


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.binary(max_size=60) | st.sampled_from([raw(cloudevent()), raw([cloudevent(), 1])]),
    st.sampled_from([STRUCTURED, BATCH, binary(cloudevent()), {}]),
    st.binary(max_size=10),
)
def test_no_request_is_answered_with_an_error_of_ours(
    client: httpx.Client, body: bytes, headers: dict[str, str], extra: bytes
) -> None:
    answer = client.post(PATH, content=body + extra, headers=headers)
    assert answer.status_code in {202, 207, 400, 409, 413, 415}
