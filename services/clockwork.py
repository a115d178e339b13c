"""The clockwork: what time alone changes is put into the log, as ticks.

A month comes to be at risk, and a month ends, without any event. Whoever then looks at the log
must be able to tell that it was seen and when: so a tick is appended to the stream of each patient
of whom it changes an alert, and to no other.

How far boundaries were seen is a feed's position, in seconds since the epoch. Killed half way, it
begins the boundary anew and finds only whom it had not reached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from operator import attrgetter

from domain.facts import Boundary, Instant
from domain.policy import Policy
from infra.clock import Clock
from projections.boundaries import Passed, boundaries_passed
from projections.enrolled import EnrolledPatients
from projections.ports import Batch, PositionPassed, Store
from services.ingest import Ingest
from services.serve.worker import Worker

log = logging.getLogger("caretally.clock")

FEED = "clock"
CHUNK = 50
"""Patients a transaction: the doors wait for no longer than these take."""

GRACE_SECONDS = 5
"""How long after a boundary it is taken for passed: the clocks of several machines differ."""

LOOK_SECONDS = 5.0
"""How often the clock is looked at."""

QUARTER_SECONDS = 900
"""Local days begin at quarters of an hour everywhere: between two of them nothing is due."""

SECOND_US = 1_000_000


class Clockwork(Worker):
    """Looks at the clock and ticks for what has passed. Survives outages of the store."""

    def __init__(
        self,
        store: Store,
        enrolled: EnrolledPatients,
        ingest: Ingest,
        clock: Clock,
        policy_of: Callable[[str], Policy],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`ingest` is the core that the doors of this process share."""
        super().__init__(FEED, log, "what time changes is not seen")
        self.ticks = 0
        """Ticks appended since the start."""
        self._store, self._enrolled, self._ingest = store, enrolled, ingest
        self._clock, self._policy_of = clock, policy_of
        self._look_seconds = look_seconds
        self._seen: Instant = -QUARTER_SECONDS

    async def turn(self) -> float:
        await self.call(self.look)
        return self._look_seconds

    def look(self) -> None:
        """Tick for every boundary passed since the last look; the first look ever only begins.

        Raises whatever an outage of the store raises; the next look goes on from there.
        """
        through = self._clock() // SECOND_US - GRACE_SECONDS
        if through // QUARTER_SECONDS == self._seen // QUARTER_SECONDS:
            return
        after = self._store.tracking(FEED)
        done = self._begin(through) if after is None else self._follow(after, through)
        if done:
            self._seen = through

    def _begin(self, position: int) -> bool:
        """Note the enrolments of a log that is older than the clockwork, then begin now."""
        after = ""
        while streams := self._enrolled.unknown(after, CHUNK):
            if self.stopping:
                return False
            self._ingest.note_enrolments(streams)
            after = streams[-1]
        self._move_to(position)
        return True

    def _follow(self, after: Instant, through: Instant) -> bool:
        """See every boundary in between; False when asked to end before all were seen."""
        zones = self._enrolled.zones()
        passed = boundaries_passed(zones, self._policy_of, after, through)
        for at, together in groupby(passed, key=attrgetter("at")):
            if not all(map(self._see, together)):
                return False
            self._move_to(at)
        return True

    def _see(self, passed: Passed) -> bool:
        """Tick for whom it concerns; False when asked to end before all were reached."""
        ticks = 0
        for streams in self._concerned(passed):
            if self.stopping:
                return False
            ticks += self._ingest.tick(streams, passed)
        self.ticks += ticks
        if ticks:
            log.info("%s %s: %d alerts of patients changed", passed.month, passed.boundary, ticks)
        return True

    def _concerned(self, passed: Passed) -> Iterator[list[str]]:
        """Patients whom the boundary may concern, a transaction's worth at a time."""
        at_risk = passed.boundary is Boundary.AT_RISK
        find = self._enrolled.short_in if at_risk else self._enrolled.watched_in
        place, after = (passed.practice_id, passed.timezone, passed.month), ""
        while streams := find(*place, after, CHUNK):
            yield streams
            after = streams[-1]

    def _move_to(self, position: int) -> None:
        """Another process may have seen the same boundary and moved on."""
        with suppress(PositionPassed):
            self._store.commit(Batch(tracking={FEED: position}))
