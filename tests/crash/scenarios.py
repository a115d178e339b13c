"""What is done to the product while it works, and what must be true afterwards."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence

from infra.kafka.local import LocalKafka
from tests.crash.compare import Figures, compare, settle, wait_until_stored
from tests.crash.world import Feeder, World, messages
from tests.delivery.service import Service, until
from tests.postgres import LocalPostgres

RATE = 500.0
"""Messages a second, in bursts of up to a thousand."""

Disturb = Callable[[World], None]


def under_load(world: World, roles: Sequence[str], disturb: Disturb, stays: bool) -> Figures:
    """Run these processes, disturb them while the feed goes on, let everything come to rest, and
    compare. Raises AssertionError where anything is lost, doubled, missing or different."""
    for role in roles:
        world.member(role, stays)
    feeder = Feeder(world.settings, messages(world.seed), RATE, world.seed)
    try:
        world.moved()
        disturb(world)
    finally:
        feeder.stop()
    settle(world)
    world.end()
    return compare(world)


def kills(count: int) -> Disturb:
    """kill -9 of one process after the other, at random points."""

    def disturb(world: World) -> None:
        for _ in range(count):
            world.kill_one(world.members)

    return disturb


def postgres_stops(server: LocalPostgres, count: int) -> Disturb:
    """Immediate stops of the database, which stays away for up to a second."""

    def disturb(world: World) -> None:
        for _ in range(count):
            time.sleep(world.rng.uniform(0, 0.5))
            server.stop()
            time.sleep(world.rng.uniform(0, 1.0))
            server.start()
            world.moved()

    return disturb


def broker_stops(broker: LocalKafka, count: int) -> Disturb:
    """Hard stops of the broker."""

    def disturb(world: World) -> None:
        for _ in range(count):
            time.sleep(world.rng.uniform(0, 0.5))
            broker.kill()
            broker.start()
            world.moved()

    return disturb


def rebalances(count: int) -> Disturb:
    """A further consumer joins the group, works, and leaves: two rebalances each time."""

    def disturb(world: World) -> None:
        asyncio.run(_join_and_leave(world, (count + 1) // 2))

    return disturb


async def _join_and_leave(world: World, times: int) -> None:
    for _ in range(times):
        service = Service(world.settings, world.database)
        async with service:
            progress = service.door.progress
            await until(lambda progress=progress: progress.feeds > 0, 120)  # type: ignore[misc]
            await asyncio.sleep(world.rng.uniform(0, 0.3))


def zombies(count: int) -> Disturb:
    """A process sleeps beyond its session, others take its partitions, and it wakes."""

    def disturb(world: World) -> None:
        consumers = [member for member in world.members if member.role == "ingest"]
        for _ in range(count):
            world.moved()
            asleep = world.rng.choice(consumers)
            time.sleep(world.rng.uniform(0, 0.3))
            asleep.signal(signal.SIGSTOP)
            wait_until_stored(world)
            asleep.signal(signal.SIGCONT)

    return disturb


def all_of(*disturbs: Disturb) -> Disturb:
    """One after the other, under one feed."""

    def disturb(world: World) -> None:
        for one in disturbs:
            one(world)

    return disturb
