"""Facts that cross patients, as they come in, and what is told of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore import open_store
from infra.eventstore.projected import open_projected
from projections.operators import Operator, Operators
from projections.ports import Store, TransitionRow
from projections.projected import Projected
from services.demo.vocabulary import clocked, message, performer, to_line
from services.ingest import Delivery, Ingest
from services.projecting.billing import OperatorBilling
from services.projecting.following import Projection, live_generation, step
from services.projecting.overlaps import StaffOverlaps
from services.projecting.panels import Panels, live_figures

NPI = "1000000004"

_SECOND = timedelta(seconds=1)
KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
NORTH = Operators((Operator("north", frozenset({"p1", "p2"})),))
Make = Callable[[Store], Projection]


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = {
        "memory": lambda: "memory:",
        "sqlite": lambda: f"sqlite:///{tmp_path}/care.db",
        "postgres": lambda: str(request.getfixturevalue("postgres_url")),
    }[request.param]()
    opened = open_store(url)
    yield opened
    opened.close()


def policy(_: str) -> Policy:
    return Policy()


def overlaps(store: Store) -> StaffOverlaps:
    return StaffOverlaps(store, open_projected(store), policy, patients_max=3)


def billing(store: Store) -> OperatorBilling:
    return OperatorBilling(store, open_projected(store), NORTH, BOOK, policy, patients_max=3)


def panels(store: Store) -> Panels:
    return Panels(open_projected(store))


class Feed:
    """Writes events that are recorded a second apart, from a day in March 2025 on."""

    def __init__(self, store: Store) -> None:
        self._now = 1_741_000_000_000_000
        self._ingest = Ingest(store, self._clock, BOOK, policy)
        self._number = 0

    def _clock(self) -> int:
        self._now += 1_000_000
        return self._now

    def take(self, *messages: dict[str, Any]) -> None:
        deliveries = [Delivery(to_line(m).rstrip(), None, (), "test") for m in messages]
        outcome = self._ingest.take(deliveries)
        assert not any(outcome.results), outcome.results

    def said(
        self, type: str, data: dict[str, Any], patient: str = "a", practice: str = "p1"
    ) -> dict[str, Any]:
        self._number += 1
        at = _instant(4, 0) + self._number * _SECOND
        return message(
            id=f"e{self._number}",
            source="/ehr",
            type=type,
            practice=practice,
            patient=patient,
            time=at,
            data=data,
        )

    def work(
        self,
        entry: str,
        minutes: tuple[int, int],
        patient: str = "a",
        who: str = "rn1",
        practice: str = "p1",
        amended: bool = False,
    ) -> dict[str, Any]:
        """Clocked work between two minutes of 3 March."""
        first, last = minutes
        data = clocked(
            entry,
            performer(who, "clinical_staff"),
            "care_coordination",
            _instant(3, first),
            (last - first) * 60,
        )
        if amended:
            return self.said("time.amended", {**data, "reason": "typo"}, patient, practice)
        return self.said("time.logged", data, patient, practice)

    def void(self, entry: str, patient: str = "a", practice: str = "p1") -> dict[str, Any]:
        return self.said("time.voided", {"entry_id": entry, "reason": "wrong"}, patient, practice)

    def retract(self, said: dict[str, Any]) -> dict[str, Any]:
        data = {"event_source": said["source"], "event_id": said["id"], "reason": "in error"}
        return self.said("event.retracted", data, said["subject"], said["practiceid"])

    def chart(self, patient: str, practice: str = "p1") -> None:
        """Everything a month needs but time."""
        on = "2025-01-02"
        enrolled = {
            "effective_on": on,
            "timezone": "America/New_York",
            "billing_practitioner": {"npi": NPI, "credential": "MD"},
        }
        visit = {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}
        for type, data in (
            ("patient.enrolled", enrolled),
            ("visit.recorded", visit),
            ("consent.recorded", {"consented_on": on, "method": "written", "npi": NPI}),
            ("condition.recorded", {"code": "I10", "chronic": True}),
            ("condition.recorded", {"code": "E11.9", "chronic": True}),
            ("care_plan.recorded", {"action": "established", "on": on}),
        ):
            self.take(self.said(type, data, patient, practice))


def _instant(day: int, minute: int) -> datetime:
    return datetime(2025, 3, day, 12, tzinfo=UTC) + timedelta(minutes=minute)


def followed(store: Store, projection: Projection, limit: int = 500) -> list[dict[str, Any]]:
    """Bring the projection up to the log's end; the transitions of its alerts so far."""
    while step(store, projection, live_generation(store, projection), limit):
        pass
    return told(store)


def told(store: Store) -> list[dict[str, Any]]:
    """What was decided across patients, oldest first."""
    crossing = ("staff.overlap", "billed-elsewhere-in-operator")
    return [b for row in store.transitions(0, 100_000) if (b := _body(row)) and _of(b) in crossing]


def _body(row: TransitionRow) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(row.body)
    return body


def _of(body: dict[str, Any]) -> str:
    return str(body["code"] if body["type"] == "conflict.detected" else body["type"])


def short(bodies: Sequence[dict[str, Any]]) -> list[tuple[str, str, int, str]]:
    return [(b["patient_id"], b["state"], b["transition"], b["cause"]["id"]) for b in bodies]


def crowd(feed: Feed, seed: int, events: int = 120, at_once: int = 1) -> None:
    """Two nurses, four patients, two practices: work, amendments, voids, retractions."""
    rng = random.Random(seed)
    said: list[dict[str, Any]] = []
    for _ in range(events):
        practice, patient = rng.choice(("p1", "p1", "p1", "p2")), rng.choice("abcd")
        entry, who = f"{practice}-{patient}-t{rng.randrange(4)}", rng.choice(("rn1", "rn2"))
        first = rng.randrange(0, 300, 5)
        minutes = (first, first + rng.choice((5, 10, 45)))
        kind = rng.randrange(10)
        if kind < 7:
            one = feed.work(entry, minutes, patient, who, practice, amended=kind > 3)
        elif kind < 9 or not said:
            one = feed.void(entry, patient, practice)
        else:
            one = feed.retract(rng.choice(said))
        said.append(one)
        if len(said) % at_once == 0:
            feed.take(*said[-at_once:])


def sums(store: Store) -> list[dict[str, Any]]:
    """The panel, slow and obvious: from every assessment."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in store.assessments():
        answer = json.loads(line)
        key = (answer["practice_id"], answer["month"])
        one = found.setdefault(key, {"patients": 0, "by_status": {}, "codes": {}, "amounts": {}})
        one["patients"] += 1
        status = answer["status"]
        one["by_status"][status] = one["by_status"].get(status, 0) + 1
        for code in answer["codes"]:
            one["codes"][code["code"]] = one["codes"].get(code["code"], 0) + code["units"]
        if answer["payment"]:
            amount = Decimal(one["amounts"].get(status, "0")) + Decimal(answer["payment"]["amount"])
            one["amounts"][status] = str(amount)
    return [
        {"practice_id": practice, "month": month, **one}
        for (practice, month), one in sorted(found.items())
    ]


def panel(projected: Projected, practice: str | None = None) -> list[dict[str, Any]]:
    """The live figures as JSON values."""
    return [
        {"practice_id": owner, "month": month, **msgspec.to_builtins(figures)}
        for owner, month, figures in live_figures(projected, practice)
    ]
