"""A server that gave up on us says nothing more: it is asked how far it has counted."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from services.counting import ASK_SECONDS
from services.translate.site import Site
from tests.fhir.ehr_server import QUERIES, Ehr, Pulled, ehr
from tests.fhir.made import Fed, chart, site, task
from tests.fhir.notified import STATUS, notification
from tests.fhir.test_notifications import RELEASES

__all__ = ["ehr"]


def status(release: str, ehr: Ehr, count: int, state: str = "active") -> dict[str, Any]:
    """The answer of `$status`: the subscription has counted so far."""
    said = json.dumps(STATUS[release][0]("query-status", count, [], []))
    said = said.replace("https://ehr.example/fhir", ehr.base).replace('"active"', f'"{state}"')
    entry = [{"resource": json.loads(said)}]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entry}


@pytest.fixture
def pulled(fed: Fed, ehr: Ehr) -> Iterator[Pulled]:
    found = Pulled(fed, ehr, QUERIES, subscriptions=("Subscription/s1",))
    shook = notification("r4", "handshake", 0, at="2025-03-01T00:00:00Z")
    shook["entry"][0]["resource"]["parameter"][0] = {
        "name": "subscription",
        "valueReference": {"reference": f"{ehr.base}/Subscription/s1"},
    }
    found.fed.take(shook, *chart())
    yield found
    found.server.close()


@pytest.mark.parametrize("release", RELEASES)
def test_what_never_came_is_asked_for_without_any_notification(
    pulled: Pulled, ehr: Ehr, release: str
) -> None:
    ehr.resources["Task/t1"] = task()
    ehr.statuses["Subscription/s1"] = status(release, ehr, 3)
    pulled.pulling.look()
    assert [event[1] for event in pulled.fed.events()][-1] == "Task/t1/1/time"
    assert pulled.fed.letters() == []
    asked = len(ehr.asked)
    pulled.pulling.look()
    assert len(ehr.asked) == asked
    pulled.now += ASK_SECONDS
    pulled.pulling.look()
    assert ehr.asked[asked:] == ["/Subscription/s1/$status"]


@pytest.mark.parametrize("state", ["error", "off"])
def test_a_subscription_that_ended_is_told(
    pulled: Pulled, ehr: Ehr, caplog: pytest.LogCaptureFixture, state: str
) -> None:
    ehr.statuses["Subscription/s1"] = status("r4", ehr, 0, state)
    with caplog.at_level(logging.WARNING):
        pulled.pulling.look()
    assert f"Subscription/s1 is {state}: nothing comes until it is activated again" in caplog.text


def test_a_server_without_the_operation_is_asked_seldom_and_the_rest_goes_on(
    pulled: Pulled, ehr: Ehr
) -> None:
    pulled.pulling.look()
    pulled.pulling.look()
    assert ehr.asked == ["/Subscription/s1/$status"]


@pytest.mark.parametrize("said", [{"resourceType": "Bundle"}, {"x": 1}, "no", {"entry": [7]}])
def test_an_answer_that_is_none_changes_nothing(pulled: Pulled, ehr: Ehr, said: Any) -> None:
    ehr.statuses["Subscription/s1"] = said
    pulled.pulling.look()
    assert pulled.fed.letters() == []


def test_a_profile_names_subscriptions_of_its_server() -> None:
    found: Site = site(pull={"subscriptions": ["Subscription/s-1"]})
    assert found.pull is not None
    for wrong in ("s1", "Task/1", "https://evil.example/Subscription/1", "Subscription/1/$status"):
        with pytest.raises(ValueError, match="expected Subscription/ID"):
            site(pull={"subscriptions": [wrong]})


def test_a_notification_of_a_subscription_that_ended_is_told_too(
    fed: Fed, caplog: pytest.LogCaptureFixture
) -> None:
    said = notification("r5", "event-notification", 1, [1], ["Task/t1"], [task()])
    said["entry"][0]["resource"]["status"] = "error"
    with caplog.at_level(logging.WARNING):
        assert fed.take(said).accepted == 1
    assert "river: a subscription is error; activate it again" in caplog.text
