"""The consuming side as the product wires it: real store, real core, real door."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import domain.assess  # noqa: F401 (before the rule book, which needs it first)
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from projections.ports import DeadLetter, Store
from services.doors.kafka import KafkaDoor, Takes
from services.ingest import Delivery, Ingest, Judge


class Service:
    """A store opened on a URL, with a door in front of it."""

    def __init__(self, settings: KafkaSettings, database: str) -> None:
        self.store: Store = open_store(database)
        self.ingest = Ingest(self.store, system_clock, BOOK, lambda _: Policy())
        self.switch = Switch(self.ingest, self.store)
        self.door = KafkaDoor(settings, self.switch, self.switch.tracking)

    async def __aenter__(self) -> Service:
        await self.door.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.door.stop()
        self.store.close()


class Switch:
    """The way to the core, with a plug that can be pulled: an outage of the store."""

    def __init__(self, ingest: Takes, store: Store) -> None:
        self.down = False
        self.refused = 0
        self._ingest = ingest
        self._store = store

    def take(
        self, deliveries: Sequence[Delivery], tracking: Mapping[str, int], *, judge: Judge
    ) -> object:
        self._check()
        return self._ingest.take(deliveries, tracking, judge=judge)

    def tracking(self, name: str) -> int | None:
        self._check()
        return self._store.tracking(name)

    def _check(self) -> None:
        if self.down:
            self.refused += 1
            raise OSError("the store is out")


async def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to be so; an error when it is not in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def letters(store: Store) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    while page := store.dead_letters(found[-1].id if found else 0):
        found += page
    return found


def assert_exactly_once(store: Store, good: int, bad: int) -> None:
    """Every good message is an event, every bad one a dead letter: once each.

    Events are also deduplicated by their ids, dead letters by nothing but the position, so the
    second half shows that the position itself is exact.
    """
    assert store.counts()["events"] == good
    origins = [letter.origin for letter in letters(store)]
    assert len(origins) == bad
    assert len(set(origins)) == bad


async def consume(bootstrap: str, topic: str, group: str, database: str) -> None:
    """A whole consumer process, for tests that kill one."""
    settings = KafkaSettings(
        bootstrap, events_topic=topic, group_id=group, session_timeout_ms=2000, max_records=50
    )
    await Service(settings, database).door.run()


def main(arguments: Any) -> None:
    asyncio.run(consume(*arguments))


if __name__ == "__main__":
    main(sys.argv[1:])
