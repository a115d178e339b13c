"""One subscriber's lane: what it wants goes into its ledger, what is due is sent and noted.

At least once, under ids that never change. Per patient in order: the next one is sent when the
one before was taken, or given up. What is due lies in the ledger, so a process that dies forgets
nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from infra.clock import Clock
from infra.outbound import Answer, Outbound
from projections.deliveries import (
    Deliveries,
    DeliveryState,
    Due,
    Outcome,
    Subscriber,
    SubscriberState,
)
from projections.ports import Store, TransitionRow
from services.doors.backoff import Backoff
from services.notify.deliverable import deliverable, event_id, message, rows_at
from services.notify.retries import SECOND_US, Chance, Verdict, verdict
from services.notify.signing import signed_headers

log = logging.getLogger("caretally.webhooks")

WIDTH_MAX = 16
"""Patients served at once for one subscriber; one while its endpoint fails."""
CHUNK_MAX = 500
"""Transitions read at once into the ledger."""
PENDING_MAX = 10_000
"""A subscriber's ledger is not filled beyond this; the rest waits in the log."""
IDLE_SECONDS = 5.0
DRAIN_SECONDS = 1.5
"""What is under way may take this long to be answered at the end."""

Result = TypeVar("Result")
Waits = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """What all lanes work with; `taken` hears how many deliveries were acknowledged."""

    store: Store
    ledger: Deliveries
    clock: Clock
    threads: ThreadPoolExecutor
    waits: Waits
    chance: Chance
    rest_seconds: float
    taken: Callable[[int], None]


class Lane:
    """Serves one subscriber: reads on into the ledger, sends what is due, notes the answers."""

    def __init__(self, room: Room, subscriber: Subscriber, outbound: Outbound) -> None:
        """Begins at once; `outbound` is closed with the lane."""
        self.wake = asyncio.Event()
        self.subscriber = subscriber
        self.ended = False
        self._room, self._outbound = room, outbound
        self._backoff = Backoff(first=room.rest_seconds, cap=60.0)
        self._rest_until_us = 0
        self._width = WIDTH_MAX
        self._draining = False
        self._task = asyncio.create_task(self._run(), name=f"webhook {subscriber.id}")

    async def close(self, drain: bool) -> None:
        """Let what was sent be answered, and what is due be sent if `drain`, for a moment."""
        self._draining = True
        self.ended = self.ended or not drain
        self.wake.set()
        await asyncio.wait([self._task], timeout=DRAIN_SECONDS)
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._outbound.close()

    async def _run(self) -> None:
        backoff, listed = Backoff(first=0.1), False
        while not self.ended:
            try:
                if not listed:
                    await self._reread()
                    listed = True
                    continue
                self.wake.clear()
                moved = await self._read_on()
                sent = not self.ended and await self._send_due()
                backoff.reset()
                if not (moved or sent):
                    if self._draining:
                        return
                    await self._idle()
            except Exception as error:
                # Most likely the store's outage; this lane waits, the others find out themselves.
                log.warning("webhook %s waits: %s", self.subscriber.id, type(error).__name__)
                if self._draining:
                    return
                await asyncio.sleep(backoff.delay())

    async def _read_on(self) -> bool:
        """Put what this subscriber wants into the ledger; False when all was read."""
        subscriber, ledger = self.subscriber, self._room.ledger
        after = subscriber.read_through
        page = await self._call(lambda: deliverable(self._room.store, after, CHUNK_MAX))
        if page.through == after:
            return False
        counts = await self._call(lambda: ledger.counts(subscriber.id))
        if counts["pending"] >= PENDING_MAX:
            return False
        wanted = [
            (row.position, row.stream_id)
            for row in page.rows
            if subscriber.wants(row.practice_id, row.state.type)
        ]
        now_us = self._room.clock()
        await self._call(lambda: ledger.enqueue(subscriber.id, after, page.through, wanted, now_us))
        await self._reread()
        return True

    async def _reread(self) -> None:
        """Where the subscriber stands now; the lane ends where it is no longer served."""
        found = [
            s
            for s in await self._call(self._room.ledger.subscribers)
            if s.id == self.subscriber.id and s.state is SubscriberState.ACTIVE
        ]
        self.ended = self.ended or not found
        self.subscriber = found[0] if found else self.subscriber

    async def _send_due(self) -> bool:
        """Send what is due, one a patient; False when there was nothing."""
        now_us = self._room.clock()
        if now_us < max(self.subscriber.held_until_us, self._rest_until_us):
            return False
        id = self.subscriber.id
        due = await self._call(lambda: self._room.ledger.due(id, now_us, self._width))
        if not due:
            return False
        rows = await self._call(lambda: rows_at(self._room.store, [d.position for d in due]))
        verdicts = await asyncio.gather(*(self._attempt(d, rows.get(d.position)) for d in due))
        await self._note(due, [v for v, _ in verdicts], [a for _, a in verdicts])
        return True

    async def _attempt(self, due: Due, row: TransitionRow | None) -> tuple[Verdict, Answer]:
        if row is None:  # suppressed after it was put in the ledger
            return Verdict(DeliveryState.DELIVERED, due.attempts, None), Answer(0, fault="withheld")
        body, now_us = message(row), self._room.clock()
        headers = signed_headers(event_id(row), body, self.subscriber.secrets, now_us)
        answer = await self._outbound.post(self.subscriber.url, headers, body)
        judged = verdict(
            answer, due.attempts + 1, self._room.clock(), self._room.chance, self._room.waits
        )
        return judged, answer

    async def _note(self, due: list[Due], verdicts: list[Verdict], answers: list[Answer]) -> None:
        """Write what came of it, and learn how the endpoint does."""
        ledger, id, now_us = self._room.ledger, self.subscriber.id, self._room.clock()
        outcomes = [
            Outcome(d.position, d.stream_id, v.state, v.attempts, v.next_at_us, a.words)
            for d, v, a in zip(due, verdicts, answers, strict=True)
        ]
        await self._call(lambda: ledger.record(id, outcomes, now_us))
        taken = sum(v.state is DeliveryState.DELIVERED for v in verdicts)
        self._room.taken(taken)
        self._pace(taken, answers, now_us)
        if any(v.gone for v in verdicts):
            await self._disable("the endpoint answered 410 Gone")
        elif self._is_dead(verdicts, taken, now_us):
            await self._disable(f"nothing was taken through all tries: {answers[-1].words}")
        elif hold := max(v.hold_until_us for v in verdicts):
            await self._call(lambda: ledger.hold(id, hold))
            await self._reread()

    def _pace(self, taken: int, answers: list[Answer], now_us: int) -> None:
        """Twice as many at once after a good round; alone and after a rest while it fails."""
        if taken:
            self._backoff.reset()
            self._width = min(WIDTH_MAX, self._width * 2)
            return
        self._width = 1
        self._rest_until_us = now_us + int(self._backoff.delay() * SECOND_US)
        log.warning("webhook %s fails: %s", self.subscriber.id, answers[-1].words)

    def _is_dead(self, verdicts: list[Verdict], taken: int, now_us: int) -> bool:
        """Tries ran out, and nothing else was taken while they lasted."""
        if taken or not any(v.state is DeliveryState.FAILED for v in verdicts):
            return False
        last = max(self.subscriber.answered_at_us, self.subscriber.added_at_us)
        return now_us - last >= sum(self._room.waits) * SECOND_US

    async def _disable(self, reason: str) -> None:
        id = self.subscriber.id
        log.error("webhook %s is disabled: %s", id, reason)
        await self._call(lambda: self._room.ledger.set_state(id, SubscriberState.DISABLED, reason))
        self.ended = True

    async def _idle(self) -> None:
        """Wait for something to read, or for the next try."""
        id, now_us = self.subscriber.id, self._room.clock()
        next_at_us = await self._call(lambda: self._room.ledger.next_due(id))
        seconds = IDLE_SECONDS
        if next_at_us is not None:
            at_us = max(next_at_us, self.subscriber.held_until_us, self._rest_until_us)
            seconds = min(seconds, max(0.01, (at_us - now_us) / SECOND_US))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), seconds)

    async def _call(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._room.threads, work)
