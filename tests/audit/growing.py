"""A log that grows batch by batch while somebody looks at the read model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.event import Event
from domain.facts import CLOCK_SOURCE, TICK_TYPE, Month
from domain.policy import Policy
from domain.rules import BOOK
from infra.codec import decode_event, encode_state, event_key, link
from infra.configfile import ConfigFile
from infra.settings import Settings
from projections.ports import Batch, Store, StoredEvent
from services.bootstrap import Parts
from services.ingest import Delivery, Ingest
from services.wire.encode import to_cloudevent
from tests.stored import stream

FIRST_US = 1_741_300_000_000_000
"""2025-03-06T22:26:40Z."""
DAY_US = 86_400_000_000


def message(event: Event) -> bytes:
    """The event as a CloudEvent of one line."""
    return to_cloudevent(stream([event])[0])


@dataclass
class GrowingLog:
    """Takes events at the instants it is told, and keeps what was shown after each commit."""

    store: Store
    policy: Policy = field(default_factory=Policy)
    now_us: int = FIRST_US
    shown: list[tuple[int, list[bytes]]] = field(default_factory=list)
    """(instant of recording, every row of the read model) after each commit."""

    def __post_init__(self) -> None:
        settings = Settings()
        settings._file = ConfigFile(policy=self.policy)
        self.parts = Parts(settings, lambda: self.now_us, BOOK, self.store)
        self.ingest = Ingest(self.store, self.parts.clock, BOOK, settings.policy_of)

    def take(self, events: Iterable[Event | bytes], at_us: int) -> None:
        """One batch, stored at that instant; where the clock stands still, a microsecond on."""
        self.now_us = at_us
        head = self.store.head()
        lines = [each if isinstance(each, bytes) else message(each) for each in events]
        outcome = self.ingest.take([Delivery(line, None, (), "test") for line in lines])
        assert outcome.dead_lettered == 0
        new = self.store.log(head, 1)
        if new:
            recorded = decode_event(new[0]).recorded_at_us
            assert recorded is not None
            self.shown.append((recorded, list(self.store.assessments())))

    def tick(self, stream: str, month: Month) -> int:
        """Our own clock's word that the month is over; the version it has."""
        last = self.store.load([stream])[stream].events[-1]
        state = encode_state(
            source=CLOCK_SOURCE,
            id=f"{stream} {month}",
            time_text="2025-04-01T04:00:00Z",
            recorded_at_us=self.now_us,
            previous=link(last.stream_id, last.version, last.name, last.state),
            data=b'{"boundary":"month-over","month":"%b"}' % month.encode(),
        )
        key = event_key(CLOCK_SOURCE, f"{stream} {month}")
        new = StoredEvent(stream, last.version + 1, TICK_TYPE, state, key)
        self.store.commit(Batch(events=[new], versions={stream: new.version}))
        return new.version

    def shown_at(self, instant_us: int) -> list[bytes]:
        """What a reader of that instant saw."""
        seen: list[bytes] = []
        for at, rows in self.shown:
            if at <= instant_us:
                seen = rows
        return seen
