"""How the API behaves towards everybody: errors, tags, methods, rights, the access log."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
import pytest

from infra.eventstore.transparency import open_transaction
from projections.ports import Store
from services.access import Role
from services.api import desk
from tests.api.asked import MARCH, PT1, Asked

ALL = "/api/v1/assessments"


def refused(answer: httpx.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return found


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ({"limit": "0"}, "limit", "a whole number from 1 to 1000"),
        ({"limit": "1001"}, "limit", "a whole number from 1 to 1000"),
        ({"month": "2025-3"}, "month", "a month YYYY-MM from 2010-01 to 2099-12"),
        ({"status": "paid"}, "status", "one of claimed, diverged, billable, blocked, accruing"),
        ({"as_of": "yesterday"}, "as_of", "an RFC 3339 instant with offset"),
        ({"practice": "a\0b"}, "practice", "without control characters"),
        ({"practice": "a" * 257}, "practice", "1 to 256 characters"),
        ({"all_months": "yes"}, "all_months", "true or false"),
        ({"pratice": "p1"}, "pratice", "one of practice, patient, month"),
        ({"month": ["2025-03", "2025-04"]}, "month", "one value"),
        ({"cursor": "a/b"}, "cursor", "a cursor that a page gave as its next"),
    ],
)
def test_a_bad_parameter_is_named_with_what_was_expected(
    api: Asked, query: dict[str, Any], field: str, expected: str
) -> None:
    found = refused(api.get(ALL, **query))
    (error,) = found["errors"]
    assert error["field"] == field
    assert expected in error["expected"]
    assert found["detail"].startswith(f"{field}: expected ")


def test_a_cursor_of_other_filters_or_changed_by_a_character_is_refused(api: Asked) -> None:
    following = api.json(ALL, limit=1)["next"]
    assert api.get(following).status_code == 200
    refused(api.get(f"{following}&month=2025-03"), 404)
    refused(api.get(following.replace("assessments", "practices/p1/patients/pt1/months")), 404)
    cursor = following.rpartition("=")[2]
    for at in range(len(cursor) - 1):
        other = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        found = refused(api.get(ALL, cursor=other, limit=1), 404)
        assert found["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize("path", [ALL, MARCH, f"{PT1}/months", f"{MARCH}/explanation"])
def test_who_has_the_bytes_is_not_sent_them_again(api: Asked, path: str) -> None:
    first = api.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, f'"other", W/{tag}', "*"):
        again = api.get(path, {"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert api.get(path, {"if-none-match": '"other"'}).status_code == 200


def test_head_options_and_wrong_methods_are_told_apart(api: Asked) -> None:
    whole, head = api.get(MARCH), api.client.head(MARCH)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == whole.headers[name]
    options = api.client.options(MARCH)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    wrong = api.client.delete(MARCH)
    refused(wrong, 405)
    assert wrong.headers["allow"] == "GET, HEAD, OPTIONS"
    refused(api.get("/api/v1/nothing"), 404)
    refused(api.client.options("/api/v1/nothing"), 404)


def test_any_character_in_a_path_gets_an_answer_of_ours(api: Asked) -> None:
    for part in ("%0A", "a%0Ab", "%00", "%1F", "%FF", "%2F", "..%2F", "%E2%80%A8", ";", "%252F"):
        for path in (f"/api/v1/dead-letters/{part}", f"{PT1}/months/{part}", f"/api/v1/{part}"):
            answer = api.get(path)
            refused(answer, answer.status_code)
            assert answer.status_code in (400, 404)


def test_another_practices_patient_looks_like_one_that_is_not_there(api: Asked) -> None:
    api.bind("p2")
    for path in (MARCH, f"{PT1}/months", f"{MARCH}/explanation"):
        mine = refused(api.get(path), 404)
        assert mine == refused(api.get(path.replace("p1/patients", "p2/patients")), 404)
    assert api.json(ALL) == api.json(ALL, practice="p1") == {"items": [], "next": None}
    assert api.json(ALL, as_of="2026-01-01T00:00:00Z")["items"] == []
    api.bind("p1")
    assert api.json(ALL)["items"]


def test_a_role_without_the_right_is_refused(api: Asked) -> None:
    api.bind("p1", role=Role.INTEGRATOR)
    for path in (ALL, MARCH, f"{MARCH}/explanation"):
        refused(api.get(path), 403)
    assert api.reads() == []


def test_every_read_is_written_down_before_it_is_answered(api: Asked, store: Store) -> None:
    api.bind("p1")
    api.get(MARCH, {"x-reason": "claim review", "x-actor": "j.doe"})
    api.get(ALL, month="2025-03")
    first, second = api.reads()
    assert (first.user, first.actor, first.reason) == ("somebody", "j.doe", "claim review")
    assert first.what == MARCH
    assert first.wanted == {"practice": "p1", "patient": "pt1", "month": "2025-03"}
    assert (second.what, second.wanted) == (ALL, {"month": "2025-03", "practice": "p1"})
    with open_transaction(store)[0](True) as c:
        c.execute("ALTER TABLE accesses RENAME TO elsewhere")
    for path in (ALL, MARCH, f"{PT1}/months", f"{MARCH}/explanation"):
        assert "pt1" not in refused(api.get(path), 503)["detail"]


def test_a_slow_read_keeps_nobody_else_waiting(api: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one read takes long the others are answered, and it is told that it took too long."""
    monkeypatch.setattr(desk, "ANSWER_SECONDS_MAX", 1.0)
    slow = threading.Event()
    real = api.parts.store.load

    def load(*args: Any) -> Any:
        slow.wait(10)
        return real(*args)

    monkeypatch.setattr(api.parts.store, "load", load)
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(api.get(f"{MARCH}/explanation")))
    asking.start()
    began = time.monotonic()
    assert api.get(MARCH).status_code == 200
    assert time.monotonic() - began < 1.0
    asking.join()
    refused(answers[0], 503)
    assert answers[0].headers["retry-after"] == "5"
    slow.set()


def test_when_too_many_wait_the_next_is_sent_away(
    api: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "WAITING_MAX", -desk.READERS)
    refused(api.get(MARCH), 503)


def test_what_goes_wrong_here_quotes_nothing(api: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a row of pt1")

    monkeypatch.setattr(api.parts.store, "load", broken)
    assert "pt1" not in refused(api.get(f"{MARCH}/explanation"), 500)["detail"]
