"""Notified pull against a real HTTP server that hands out tokens for signed assertions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.fhirserver import Credentials, FhirServer, Refused, ServerOut
from tests.fhir.ehr_server import EVENT, QUERIES, Ehr, Pulled, ehr, keys
from tests.fhir.made import Fed, chart, meta, task, visit
from tests.fhir.notified import notification

__all__ = ["ehr"]


@pytest.fixture
def pulled(fed: Fed, ehr: Ehr) -> Iterator[Pulled]:
    found = Pulled(fed, ehr, QUERIES)
    found.fed.take(notification("r5", "handshake", 0, at="2025-03-01T00:00:00Z"), *chart())
    yield found
    found.server.close()


def test_an_id_only_notification_is_served_by_one_request(pulled: Pulled, ehr: Ehr) -> None:
    ehr.resources["Task/t1"] = task()
    pulled.hear(1, 2, focus=["Task/t1", "Task/t1"])
    pulled.hear(3, focus=["Task/t1"])
    pulled.pulling.look()
    assert ehr.asked == ["/Task/t1"]
    assert pulled.fed.letters() == []
    assert pulled.fed.answers()[0]["status"] == "billable"
    pulled.pulling.look()
    assert ehr.asked == ["/Task/t1"]


def test_what_is_gone_when_it_is_asked_for_stands_no_more(pulled: Pulled) -> None:
    pulled.fed.take(task())
    pulled.hear(1, focus=["Task/t1"])
    pulled.pulling.look()
    assert (pulled.fed.answers(), pulled.fed.letters()) == ([], [])


def test_what_is_fetched_and_cannot_be_mapped_is_kept_as_it_was_fetched(
    pulled: Pulled, ehr: Ehr
) -> None:
    ehr.resources["Task/t1"] = task(executionPeriod={"start": "2025"})
    pulled.hear(1, focus=["Task/t1"])
    pulled.pulling.look()
    (letter,) = pulled.fed.letters()
    assert (letter.reason, letter.origin) == ("imprecise-date", "fhir-pull:river")
    assert b'"executionPeriod"' in (letter.value or b"")


def test_an_empty_notification_is_served_by_searches_page_by_page(pulled: Pulled, ehr: Ehr) -> None:
    for n in range(5):
        ehr.resources[f"Task/t{n}"] = task(f"t{n}", minutes=5)
    ehr.resources["Encounter/v7"] = visit("v7")
    pulled.hear(1)
    pulled.pulling.look()
    assert pulled.fed.letters() == []
    names = [event[1] for event in pulled.fed.events()]
    assert [f"Task/t{n}/1/time" in names for n in range(5)] == [True] * 5
    assert "Encounter/v7/1/visit" in names
    assert ehr.asked[0] == "/Task?_lastUpdated=ge2025-02-28T23:55:00Z"


def test_a_gap_is_filled_by_events_where_the_server_lists_them(pulled: Pulled, ehr: Ehr) -> None:
    ehr.resources["Task/t1"] = task()
    ehr.events = notification("r5", "query-event", 3, [1, 2], ["Task/t1", "Task/t1"])
    subscription = f"{ehr.base}/Subscription/s1"
    status = ehr.events["entry"][0]["resource"]
    status["subscription"]["reference"] = subscription
    said = notification("r5", EVENT, 3, [3], ["Encounter/v1"], [visit(version=2)])
    said["entry"][0]["resource"]["subscription"]["reference"] = subscription
    pulled.fed.take(said)
    assert [letter.reason for letter in pulled.fed.letters()] == ["feed-gap"]
    pulled.pulling.look()
    pulled.pulling.look()
    assert pulled.fed.letters() == []
    assert "eventsSinceNumber=1&eventsUntilNumber=2" in ehr.asked[0]
    assert ehr.asked[1:] == ["/Task/t1"]


def test_a_gap_is_filled_by_searches_where_the_list_is_not_whole(pulled: Pulled, ehr: Ehr) -> None:
    ehr.resources["Task/t1"] = task()
    pulled.hear(3, focus=["Encounter/v1"])
    ehr.resources["Encounter/v1"] = visit()
    pulled.pulling.look()
    assert pulled.fed.letters() == []
    assert ("time.logged.v1", "Task/t1/1/time") in [e[:2] for e in pulled.fed.events()]


def test_a_gap_that_nothing_can_fill_stays_to_be_seen(fed: Fed, ehr: Ehr) -> None:
    pulled = Pulled(fed, ehr)
    pulled.fed.take(notification("r5", "handshake", 0))
    pulled.hear(2, focus=["Task/gone"])
    pulled.pulling.look()
    assert [letter.reason for letter in pulled.fed.letters()] == ["feed-gap"]
    pulled.server.close()


def test_an_outage_loses_nothing_and_is_told(pulled: Pulled, ehr: Ehr) -> None:
    ehr.resources["Task/t1"] = task()
    ehr.fails = [503]
    pulled.hear(1, focus=["Task/t1"])
    with pytest.raises(ServerOut):
        pulled.pulling.look()
    assert len(pulled.fed.letters()) == 1
    pulled.pulling.look()
    assert pulled.fed.letters() == []


def test_what_the_server_refuses_is_tried_again_later(pulled: Pulled, ehr: Ehr) -> None:
    ehr.resources["Task/t1"] = task()
    ehr.fails = [403]
    pulled.hear(1, focus=["Task/t1"])
    pulled.pulling.look()
    pulled.pulling.look()
    assert len(ehr.asked) == 1
    pulled.now += 601
    pulled.pulling.look()
    assert pulled.fed.letters() == []


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_signed_assertion_gets_a_token_and_a_refused_one_is_renewed(
    ehr: Ehr, tmp_path: Path, algorithm: str
) -> None:
    path, ehr.public_key = keys(algorithm, tmp_path)
    token_url = f"{ehr.base.removesuffix('/fhir')}/token"
    ehr.resources["Task/t1"] = {**task(), **meta(9)}
    clock = [1_000.0]
    import time

    clock[0] = time.time()
    credentials = Credentials(token_url, "client-1", path, "system/*.read", algorithm)
    server = FhirServer(ehr.base, credentials, lambda: clock[0])
    assert server.read("Task/t1") is not None
    assert server.read("Task/t1") is not None
    assert len(ehr.tokens) == 1
    ehr.tokens.append("revoked elsewhere")
    assert server.read("Task/t1") is not None
    assert len(ehr.tokens) == 3
    clock[0] += 280
    assert server.read("Task/none") is None
    assert len(ehr.tokens) == 4
    server.close()


def test_a_key_that_the_server_does_not_know_is_an_outage(ehr: Ehr, tmp_path: Path) -> None:
    path, _ = keys("ES384", tmp_path)
    _, ehr.public_key = keys("ES384", tmp_path)
    other, _ = keys("ES384", tmp_path)
    assert other == path
    token_url = f"{ehr.base.removesuffix('/fhir')}/token"
    server = FhirServer(ehr.base, Credentials(token_url, "client-1", path, "s", "ES384"))
    with pytest.raises((ServerOut, Refused)):
        server.read("Task/t1")
    server.close()


def test_a_next_page_on_another_server_is_not_followed(ehr: Ehr) -> None:
    for n in range(3):
        ehr.resources[f"Task/t{n}"] = task(f"t{n}")
    server = FhirServer(ehr.base)
    base, ehr.base = ehr.base, "http://127.0.0.1:1/fhir"
    with pytest.raises(ServerOut, match="another server"):
        list(server.search("Task?x=1"))
    ehr.base = base
    server.close()


@pytest.mark.parametrize(
    "answer", [{"resourceType": "OperationOutcome"}, task("t2"), {"x": 1}, [1], {"id": "t1"}]
)
def test_an_answer_that_is_another_resource_serves_no_letter(
    pulled: Pulled, ehr: Ehr, answer: Any
) -> None:
    """It is asked for again: a server that answers oddly must not lose what it was asked for."""
    ehr.resources["Task/t1"] = answer
    pulled.hear(1, focus=["Task/t1"])
    before = pulled.fed.events()
    pulled.pulling.look()
    assert [letter.reason for letter in pulled.fed.letters()] == ["not-fetched"]
    assert pulled.fed.events() == before
    ehr.resources["Task/t1"] = task()
    pulled.now += 601
    pulled.pulling.look()
    assert pulled.fed.letters() == []
