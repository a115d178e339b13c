"""The whole way with a server that others wrote: subscription, translation, alert, correction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.clock import system_clock
from infra.eventstore import open_store
from infra.eventstore.deliveries import open_deliveries
from projections.ports import Store
from services.notify.signing import new_secret
from services.notify.subscribing import new_subscriber
from tests.fhir import live
from tests.receiver import Receiver, receiver
from tests.sekmet import Sekmet, SekmetUnavailable, free_port, unavailable
from tests.services.serving import eventually, serving

TOKEN = "a-token-of-enough-length"


class Practice:
    """Their server, our settings, and who is told of alerts."""

    def __init__(self, folder: Path, told: Receiver) -> None:
        self.told = told
        private, public = live.keys(folder)
        self.server = Sekmet(folder / "sekmet", live.CLIENT, public)
        port = free_port()
        self.hook = f"http://127.0.0.1:{port}/fhir/notify/river"
        profile = folder / "river.toml"
        profile.write_text(live.profile(self.server, private, "s1"))
        url = f"sqlite:///{folder}/care.db"
        self.environment = {
            "CARETALLY_DATABASE": url,
            "CARETALLY_HTTP": f"127.0.0.1:{port}",
            "CARETALLY_HTTP_TOKEN": TOKEN,
            "CARETALLY_FHIR_SITES": str(profile),
            "CARETALLY_WEBHOOKS_ALLOW_PRIVATE": "true",
        }
        self.store: Store = open_store(url)
        new = new_subscriber(told.url, (), (), new_secret(), 0, system_clock(), True)
        open_deliveries(self.store).add(new)

    def subscribe(self, content: str) -> None:
        self.server.put(live.topic())
        self.server.put(live.subscription("s1", self.hook, TOKEN, content))
        eventually(lambda: self.status() == "active")

    def status(self) -> str:
        return str(self.server.read("Subscription/s1")["status"])

    def alerts(self) -> list[tuple[str, str]]:
        """Type and state of what the webhook was told, in order."""
        bodies = [got.json for got in self.told.got]
        return [(body["data"]["type"], body["data"]["state"]) for body in bodies]

    def logged(self) -> int:
        """Seconds of the patient's month."""
        answers = [json.loads(answer) for answer in self.store.assessments()]
        month = live.month().isoformat()[:7]
        found: list[int] = [a["seconds"]["logged"] for a in answers if a["month"] == month]
        return found[0] if found else 0

    def waiting(self) -> list[str]:
        letters = self.store.dead_letters()
        return [letter.reason for letter in letters if letter.replayed_at_us is None]

    def types(self) -> list[str]:
        return [stored.name for stored in self.store.log(0, 1000)]

    def serving(self) -> Any:
        return serving(self.environment)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    with receiver() as told:
        try:
            found = Practice(tmp_path, told)
        except (SekmetUnavailable, OSError) as error:
            unavailable(str(error))
        yield found
        found.server.stop()
        found.store.close()


REACHED = ("threshold.reached", "raised")


@pytest.mark.parametrize("content", ["full-resource", "id-only", "empty"])
def test_from_a_task_on_their_server_to_an_alert_and_back(practice: Practice, content: str) -> None:
    with practice.serving() as service:
        service.base()
        practice.subscribe(content)
        for resource in live.chart():
            practice.server.put(resource)
        practice.server.put(live.call("t1", 17, 5))
        eventually(lambda: practice.logged() == 17 * 60, 60)
        eventually(lambda: ("threshold.approaching", "raised") in practice.alerts())
        assert REACHED not in practice.alerts()
        practice.server.put(live.call("t2", 5, 30))
        eventually(lambda: REACHED in practice.alerts(), 60)
        practice.server.put(live.call("t2", 5, 30, status="entered-in-error"))
        eventually(lambda: ("threshold.reached", "resolved") in practice.alerts(), 60)
        assert practice.logged() == 17 * 60
        assert "time.voided.v1" in practice.types()
        eventually(lambda: practice.waiting() == [])
        assert service.stop() == 0


def test_what_happened_while_we_were_down_is_found_and_fetched(practice: Practice) -> None:
    """Their server gives up on us after one failure, and says nothing more of its own."""
    with practice.serving() as service:
        service.base()
        practice.subscribe("full-resource")
        for resource in live.chart():
            practice.server.put(resource)
        practice.server.put(live.call("t1", 17, 5))
        eventually(lambda: practice.logged() == 17 * 60, 60)
        service.process.kill()
    practice.server.put(live.call("t2", 5, 30))
    practice.server.put(live.call("t3", 2, 40))
    eventually(lambda: practice.status() == "error")
    with practice.serving() as service:
        service.until("Subscription/s1 is error: nothing comes until it is activated again")
        eventually(lambda: REACHED in practice.alerts(), 60)
        eventually(lambda: practice.logged() == 24 * 60)
        letters = practice.store.dead_letters()
        assert "feed-gap" in [letter.reason for letter in letters]
        eventually(lambda: practice.waiting() == [])
        practice.server.put(live.subscription("s1", practice.hook, TOKEN, "full-resource"))
        eventually(lambda: practice.status() == "active")
        practice.server.put(live.call("t3", 3, 40))
        eventually(lambda: practice.logged() == 25 * 60)
        assert service.stop() == 0
    assert practice.types().count("time.logged.v1") == 3
    assert practice.types().count("time.amended.v1") == 1
