"""Something the product stands on goes away for a while and comes back.

Each scenario runs one process that consumes and delivers, takes the thing away under load, watches
the process, gives it back, touches nothing else, and compares the end with the plain fold.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import httpx
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from infra.kafka.local import LocalKafka
from tests.crash.compare import compare, settle, wait_until_stored
from tests.crash.scenarios import RATE
from tests.crash.slow_disk import DELAY
from tests.crash.world import COMMAND, Feeder, Member, World, messages
from tests.postgres import LocalPostgres

GROWTH_BYTES_MAX = 48 * 1024 * 1024
"""More than the client's buffers for all partitions, less than what waits meanwhile unbounded."""

WARM_EVENTS = 800
"""Stored before memory is measured: by then everything is imported and connected."""

SLOW_SYNC_SECONDS = 1.0
Step = Callable[[], object]


class Watch:
    """What a process looked like while something was away."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._client = httpx.Client(base_url=member.base(), timeout=30)
        self._before = member.memory_bytes()
        self.growth_bytes = 0
        self.not_ready: set[str] = set()
        """The checks of /readyz that failed."""

    def look(self, seconds: float) -> None:
        """Alive all the time; the rest is noted."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self._client.get("/livez").status_code == 200, "an outage elsewhere is no death"
            checks = self._client.get("/readyz").json()["checks"]
            self.not_ready |= {name for name, check in checks.items() if not check["ok"]}
            growth = self._member.memory_bytes() - self._before
            self.growth_bytes = max(self.growth_bytes, growth)
            time.sleep(0.1)


def database_down(world: World, server: LocalPostgres, seconds: float) -> dict[str, Any]:
    """PostgreSQL is stopped at once and started again."""

    def back(member: Member) -> None:
        committed = _committed(world)
        member.signal(signal.SIGSTOP)  # so that the store does not catch up before it is asked
        server.start()
        stored = world.ask(lambda store: {feed: store.tracking(feed) for feed in committed})
        member.signal(signal.SIGCONT)
        ahead = {f: at for f, at in committed.items() if at > (stored[f] or 0) + 1}
        assert not ahead, f"committed beyond what is stored: {ahead}"

    watch, found = _outage(world, COMMAND, server.stop, back, seconds)
    assert "database" in watch.not_ready
    return found


def broker_down(world: World, broker: LocalKafka, seconds: float) -> dict[str, Any]:
    """The broker is killed and started again."""
    _, found = _outage(world, COMMAND, broker.kill, lambda _: broker.start(), seconds)
    return found


def disk_slow(world: World, seconds: float) -> dict[str, Any]:
    """Every sync takes a second for a while."""
    delay = world.folder / "delay"
    delay.write_text("0")
    world.extra[DELAY] = str(delay)

    def slow() -> None:
        delay.write_text(str(SLOW_SYNC_SECONDS))

    def quick(_: Member) -> None:
        delay.write_text("0")

    _, found = _outage(world, ("-m", "tests.crash.slow_disk"), slow, quick, seconds)
    return found


def _outage(
    world: World,
    command: tuple[str, ...],
    away: Step,
    back: Callable[[Member], object],
    seconds: float,
) -> tuple[Watch, dict[str, Any]]:
    world.extra["CARETALLY_HTTP"] = "127.0.0.1:0"
    member = world.member("ingest,notifier", command=command)
    feeder = Feeder(world.settings, messages(world.seed), RATE, world.seed)
    try:
        world.moved(WARM_EVENTS)
        watch = Watch(member)
        away()
        watch.look(seconds)
        back(member)
        began = time.monotonic()
        world.moved()
        resumed = time.monotonic() - began
    finally:
        feeder.stop()
    wait_until_stored(world)
    settle(world)
    world.end()
    assert watch.growth_bytes < GROWTH_BYTES_MAX, f"it grew by {watch.growth_bytes} bytes"
    return watch, {
        "seconds away": seconds,
        "memory grew by MiB": round(watch.growth_bytes / 2**20, 1),
        "not ready": sorted(watch.not_ready),
        "first event after seconds": round(resumed, 1),
        **asdict(compare(world)),
    }


def _committed(world: World) -> dict[str, int]:
    """What the group has committed at the broker, by feed: the offset after the last message."""
    settings = world.settings
    admin = AdminClient({"bootstrap.servers": settings.bootstrap})
    group = ConsumerGroupTopicPartitions(settings.group_id)
    found = admin.list_consumer_group_offsets([group])[settings.group_id].result(30)
    return {f"{p.topic}/{p.partition}": p.offset for p in found.topic_partitions if p.offset > 0}
