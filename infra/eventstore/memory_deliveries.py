"""`projections.deliveries.Deliveries` beside a store in memory. Nothing survives the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from infra.eventstore.memory import MemoryStore
from projections.deliveries import (
    DeliveryState,
    Due,
    Outcome,
    Secret,
    Subscriber,
    SubscriberState,
)


@dataclass(slots=True)
class _Row:
    stream_id: str
    next_at_us: int | None
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0


class MemoryDeliveries:
    """The same answers as the tables give."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = RLock()
        self._subscribers: dict[str, Subscriber] = {}
        self._rows: dict[str, dict[int, _Row]] = {}
        self._starts: dict[str, int] = {}

    def add(self, subscriber: Subscriber) -> None:
        with self._lock:
            if subscriber.id in self._subscribers:
                raise ValueError(f"subscriber {subscriber.id} is there already")
            self._subscribers[subscriber.id] = subscriber
            self._rows[subscriber.id] = {}

    def subscribers(self) -> list[Subscriber]:
        with self._lock:
            return sorted(self._subscribers.values(), key=lambda s: (s.added_at_us, s.id))

    def set_state(self, subscriber_id: str, state: SubscriberState, reason: str) -> bool:
        return self._replace(subscriber_id, state=state, reason=reason)

    def hold(self, subscriber_id: str, until_us: int) -> None:
        self._replace(subscriber_id, held_until_us=until_us)

    def set_secrets(self, subscriber_id: str, secrets: Sequence[Secret]) -> None:
        ordered = sorted(
            secrets, key=lambda s: (s.expires_at_us is not None, -(s.expires_at_us or 0))
        )
        self._replace(subscriber_id, secrets=tuple(ordered))

    def _replace(self, subscriber_id: str, **changes: Any) -> bool:
        with self._lock:
            known = self._subscribers.get(subscriber_id)
            if known is not None:
                self._subscribers[subscriber_id] = replace(known, **changes)
            return known is not None

    def remove(self, subscriber_id: str) -> bool:
        with self._lock:
            self._rows.pop(subscriber_id, None)
            return self._subscribers.pop(subscriber_id, None) is not None

    def enqueue(
        self,
        subscriber_id: str,
        after: int,
        through: int,
        wanted: Sequence[tuple[int, str]],
        now_us: int,
    ) -> bool:
        with self._lock:
            known = self._subscribers.get(subscriber_id)
            if known is None or known.read_through != after:
                return False
            self._replace(subscriber_id, read_through=through)
            rows = self._rows[subscriber_id]
            for position, stream in wanted:
                behind = any(r.stream_id == stream for _, r in self._pending(subscriber_id))
                rows.setdefault(position, _Row(stream, None if behind else now_us))
            return True

    def _pending(self, subscriber_id: str) -> list[tuple[int, _Row]]:
        rows = sorted(self._rows.get(subscriber_id, {}).items())
        return [(p, row) for p, row in rows if row.state is DeliveryState.PENDING]

    def due(self, subscriber_id: str, now_us: int, limit: int) -> list[Due]:
        with self._lock:
            ready = [
                (row.next_at_us, position, row)
                for position, row in self._pending(subscriber_id)
                if row.next_at_us is not None and row.next_at_us <= now_us
            ]
            ready.sort(key=lambda r: r[:2])
            return [Due(p, row.stream_id, row.attempts) for _, p, row in ready[:limit]]

    def next_due(self, subscriber_id: str) -> int | None:
        with self._lock:
            times = [row.next_at_us for _, row in self._pending(subscriber_id)]
            return min((t for t in times if t is not None), default=None)

    def record(self, subscriber_id: str, outcomes: Sequence[Outcome], now_us: int) -> None:
        with self._lock:
            rows = self._rows.get(subscriber_id, {})
            for o in outcomes:
                if o.position in rows:
                    row = rows[o.position]
                    row.state, row.attempts, row.next_at_us = o.state, o.attempts, o.next_at_us
            ended = {o.stream_id for o in outcomes if o.state is not DeliveryState.PENDING}
            self._release(subscriber_id, now_us, lambda row: row.stream_id in ended)
            if any(o.state is DeliveryState.DELIVERED for o in outcomes):
                self._replace(subscriber_id, answered_at_us=now_us)

    def _release(self, subscriber_id: str, now_us: int, among: Callable[[_Row], bool]) -> None:
        seen = set()
        for _, row in self._pending(subscriber_id):
            if row.stream_id not in seen and among(row) and row.next_at_us is None:
                row.next_at_us = now_us
            seen.add(row.stream_id)

    def requeue(self, subscriber_id: str, now_us: int) -> int:
        with self._lock:
            rows = self._rows.get(subscriber_id, {}).values()
            failed = [row for row in rows if row.state is DeliveryState.FAILED]
            for row in failed:
                row.state = DeliveryState.PENDING
            for _, row in self._pending(subscriber_id):
                row.next_at_us, row.attempts = None, 0
            self._release(subscriber_id, now_us, lambda _: True)
            self._replace(subscriber_id, held_until_us=0)
            return len(failed)

    def counts(self, subscriber_id: str) -> dict[str, int]:
        with self._lock:
            states = [row.state for row in self._rows.get(subscriber_id, {}).values()]
        return {
            "pending": states.count(DeliveryState.PENDING),
            "failed": states.count(DeliveryState.FAILED),
        }

    def begin(self, sink: str) -> int:
        with self._lock:
            return self._starts.setdefault(sink, self.last_transition())

    def last_transition(self) -> int:
        return self._store.counts()["transitions"]

    def raised(self, after: int, through: int) -> list[int]:
        rows = self._store.transitions(after, max(0, through - after))
        streams = self._store.load(sorted({row.stream_id for row in rows}))
        standing = {
            (state.alert_id, state.transition)
            for stream in streams.values()
            for state in stream.alerts
            if state.raised
        }
        return [r.position for r in rows if (r.state.alert_id, r.state.transition) in standing]
