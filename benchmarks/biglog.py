"""A log of millions of events put straight into a store, with the rows that go with each batch.

Patients join as the log grows, 50 events each in the end; every batch writes to 1,000 of all
patients there are, drawn at random, so each index is met at random places, as in a practice group.
"""

from __future__ import annotations

import random
import statistics
import time

from infra.codec import canonical_json, encode_state, event_key, link, stream_id
from projections.ports import AssessmentRow, Batch, Store, StoredEvent

BATCH = 1_000
EVENTS_PER_PATIENT = 50
MEASURED_BATCHES = 50
"""The last ones before a mark: what a further event costs there."""

_NAME = "time.logged.v1"
_BODY = canonical_json({"filler": "x" * 1_100})
"""As long as an assessment."""


class BigLog:
    """Grows a store batch by batch."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self._store = store
        self._rng = rng
        self._written = 0
        self._ends: list[tuple[int, bytes | None]] = []
        """Version and hash at which each patient's stream ends."""

    def grow(self, events: int) -> tuple[float, float]:
        """Go on to `events` in all; returns the microseconds an event took at the end: on average,
        checkpoints included, and in the quickest tenth of the batches, where nobody disturbed."""
        took: list[float] = []
        while self._written < events:
            batch = self._batch()
            started = time.perf_counter()
            self._store.commit(batch)
            took.append(time.perf_counter() - started)
            self._written += BATCH
        last = sorted(took[-MEASURED_BATCHES:])
        return statistics.mean(last) / BATCH * 1e6, last[len(last) // 10] / BATCH * 1e6

    def _batch(self) -> Batch:
        wanted = max(BATCH, self._written // EVENTS_PER_PATIENT)
        self._ends += [(0, None)] * (wanted - len(self._ends))
        batch = Batch(tracking={"bench": self._written + BATCH})
        for number in self._rng.sample(range(len(self._ends)), BATCH):
            event = self._event(number)
            month = f"2025-{1 + event.version % 12:02d}"
            practice, _, patient = event.stream_id.partition("/")
            batch.events.append(event)
            batch.versions[event.stream_id] = event.version
            batch.assessments.append(
                AssessmentRow(event.stream_id, practice, patient, month, "accruing", _BODY)
            )
        return batch

    def _event(self, number: int) -> StoredEvent:
        version, previous = self._ends[number]
        version += 1
        stream = stream_id(f"practice-{number % 8}", f"pt-{number:07d}")
        id = f"{number:07d}-e{version}"
        data = {
            "entry_id": id,
            "performer": {"id": "rn-1", "role": "clinical_staff"},
            "activity": "care_coordination",
            "started_at": "2025-03-05T16:00:00Z",
            "ended_at": "2025-03-05T16:04:00Z",
        }
        state = encode_state(
            source="/ehr/bench",
            id=id,
            time_text="2025-03-05T16:05:00Z",
            recorded_at_us=1_741_190_400_000_000 + self._written,
            previous=previous,
            data=canonical_json(data),
        )
        self._ends[number] = (version, link(stream, version, _NAME, state))
        return StoredEvent(stream, version, _NAME, state, event_key("/ehr/bench", id))
