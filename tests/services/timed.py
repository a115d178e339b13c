"""A service whose clock the test moves: an ingest core, a clockwork, and a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from domain.alerts import Watched
from domain.facts import CLOCK_SOURCE, TICK_TYPE
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from infra.codec import decode_event, split_stream_id
from infra.eventstore.enrolled import open_enrolled
from infra.eventstore.memory import MemoryStore
from projections.live import LivePatient
from projections.ports import Store, StoredEvent
from services.clockwork import Clockwork
from services.ingest import Delivery, Ingest, Outcome
from services.wire.modes import HISTORY
from tests.given import instant

SECOND_US = 1_000_000
NPI = "1000000004"
NEW_YORK = "America/New_York"
Row = tuple[str, str, str, str, str | None]
"""Patient, type, month, state and why it is not delivered."""


class Timed:
    """One process: `at` sets the time, `look` lets the clockwork look at it."""

    def __init__(
        self,
        now: str,
        store: Store | None = None,
        policy_of: Callable[[str], Policy] = lambda _: Policy(),
    ) -> None:
        self.now = instant(now)
        self.store = MemoryStore() if store is None else store
        self.policy_of = policy_of
        self.ingest = Ingest(self.store, lambda: self.now * SECOND_US, BOOK, policy_of)
        self.clockwork = self.new_clockwork()

    def new_clockwork(self) -> Clockwork:
        """Another one over the same store, as after a start."""
        enrolled, clock = open_enrolled(self.store), lambda: self.now * SECOND_US
        return Clockwork(self.store, enrolled, self.ingest, clock, self.policy_of)

    def look(self, at: str | int) -> None:
        self.now = instant(at) if isinstance(at, str) else at
        self.clockwork.look()

    def say(self, *messages: bytes, history: bool = False) -> Outcome:
        marks = ((HISTORY, b"true"),) if history else ()
        return self.ingest.take([Delivery(m, None, marks, "test") for m in messages])

    def rows(self, after: int = 0) -> list[Row]:
        return [
            (r.patient_id, r.state.type, r.state.month, _state(r.state.raised), r.suppressed)
            for r in self.store.transitions(after, 100_000)
        ]

    def ticks(self) -> list[StoredEvent]:
        return [stored for stored in self.store.log(0, 100_000) if stored.name == TICK_TYPE]


def _state(raised: bool) -> str:
    return "raised" if raised else "resolved"


def said(
    type: str,
    data: dict[str, Any],
    id: str,
    subject: str,
    practice: str = "p1",
    time: str = "2025-03-10T17:00:00Z",
    **more: Any,
) -> bytes:
    event = {"specversion": "1.0", "id": id, "source": "/ehr", "type": type, "time": time}
    where = {"practiceid": practice, "subject": subject}
    return json.dumps({**event, **where, "data": data, **more}).encode()


def chart(
    subject: str, zone: str = NEW_YORK, practice: str = "p1", on: str = "2025-01-02", **more: Any
) -> list[bytes]:
    """Everything a month needs but time."""
    practitioner = {"npi": NPI, "credential": "MD"}
    enrolled = {"effective_on": on, "timezone": zone, "billing_practitioner": practitioner}
    facts: Sequence[tuple[str, dict[str, Any]]] = [
        ("patient.enrolled.v1", enrolled),
        ("visit.recorded.v1", {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}),
        ("consent.recorded.v1", {"consented_on": on, "method": "written", "npi": NPI}),
        ("condition.recorded.v1", {"code": "I10", "chronic": True}),
        ("condition.recorded.v1", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded.v1", {"action": "established", "on": on}),
    ]
    return [
        said(type, data, f"{practice}-{subject}-c{n}", subject, practice, **more)
        for n, (type, data) in enumerate(facts)
    ]


def logged(
    subject: str, seconds: int, on: str = "2025-03-05", practice: str = "p1", **more: Any
) -> bytes:
    performer = {"id": "rn1", "role": "clinical_staff"}
    entry = f"{subject}-{on}-{seconds}"
    data = {"entry_id": entry, "performer": performer, "activity": "care_coordination"}
    work = {**data, "performed_on": on, "seconds": seconds}
    more = {"time": f"{on}T17:00:00Z", **more}
    return said("time.logged.v1", work, f"{practice}-{entry}", subject, practice, **more)


def replayed(store: Store, policy_of: Callable[[str], Policy]) -> dict[str, list[Any]]:
    """The transitions that the log comes to when it is folded anew, by stream, as stored."""
    lives: dict[str, LivePatient] = {}
    found: dict[str, list[Any]] = {}
    for stored in store.log(0, 100_000):
        event = decode_event(stored)
        address = split_stream_id(stored.stream_id)
        live = lives.setdefault(stored.stream_id, LivePatient(Patient(*address)))
        assert event.recorded_at_us is not None
        _, changes = live.take(event, event.recorded_at_us, BOOK, policy_of(event.practice_id))
        kept = found.setdefault(stored.stream_id, [])
        kept += [(event.key, c.watched, c.number, c.raised, c.suppressed) for c in changes]
    return found


def as_stored(store: Store) -> dict[str, list[Any]]:
    """The stored transitions in the form of `replayed`."""
    found: dict[str, list[Any]] = {stream: [] for stream in store.versions()}
    for row in store.transitions(0, 100_000):
        s, cause = row.state, json.loads(row.body)["cause"]
        watched = Watched(s.month, s.type, s.code, s.unit)  # type: ignore[arg-type]
        key = (cause["source"], cause["id"])
        found[row.stream_id].append((key, watched, s.transition, s.raised, row.suppressed))
    return found


__all__ = ["CLOCK_SOURCE", "Timed", "as_stored", "chart", "logged", "replayed", "said"]
