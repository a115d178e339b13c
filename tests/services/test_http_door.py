"""HTTP in, over a real server: durable before 202, and every refusal says what to do."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.ports import Store
from services.doors.http import BATCH_BYTES_MAX, PATH, header_value
from services.wire.limits import MESSAGE_BYTES_MAX
from tests.services.door_store import letters, logged
from tests.services.http_door import (
    BATCH,
    STRUCTURED,
    batch,
    binary,
    check_problem,
    client,
    ids,
    post,
    server,
    store,
)
from tests.services.wire_examples import GONE, changed, cloudevent, raw

__all__ = ["client", "server", "store"]


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
