"""Kafka: can it be reached, are the topics there, do they go with what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]
from aiokafka.admin.config_resource import (  # type: ignore[import-untyped]
    ConfigResource,
    ConfigResourceType,
)

from infra.kafka import KafkaSettings
from services.doctor.finding import Finding, fail, in_one_line, ok, warn

ANSWER_SECONDS = 10.0
REQUEST_MS = 5_000
_POLICY = "cleanup.policy"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the broker says of our topics."""

    partitions: dict[str, int]
    """How many each has; a topic that is missing is not in it."""
    policies: dict[str, str]
    """The `cleanup.policy` of each topic that should be compacted."""
    ends: dict[str, int]
    """The next offset of each partition of the events topic, by feed."""


def examine(settings: KafkaSettings, tracking: Callable[[str], int | None]) -> Iterator[Finding]:
    """All checks of Kafka. `tracking` gives the stored position of a feed."""
    try:
        seen = asyncio.run(asyncio.wait_for(_look(settings), ANSWER_SECONDS))
    except Exception as error:
        advice = "start Kafka, or correct CARETALLY_KAFKA and the CARETALLY_KAFKA_… settings"
        yield fail("kafka", f"{settings.bootstrap}: {in_one_line(error)}", advice)
        return
    yield ok("kafka", f"{settings.bootstrap} answers")
    for topic in settings.read_topics:
        yield _topic(topic, seen, settings.events_partitions)
    for topic in settings.written_topics:
        yield _topic(topic, seen, settings.alerts_partitions)
    if settings.checkpoints_topic:
        yield _topic(settings.checkpoints_topic, seen, 1)
    for topic in settings.compacted_topics:
        if topic in seen.policies:
            yield _compaction(topic, seen.policies[topic])
    if settings.events_topic in seen.partitions:
        yield _positions(seen, tracking)


async def _look(settings: KafkaSettings) -> Seen:
    partitions, policies = await _topics(settings)
    feeds = [
        TopicPartition(topic, number)
        for topic in settings.read_topics
        for number in range(partitions.get(topic, 0))
    ]
    return Seen(partitions, policies, await _ends(settings, feeds) if feeds else {})


async def _ends(settings: KafkaSettings, feeds: list[TopicPartition]) -> dict[str, int]:
    consumer = AIOKafkaConsumer(**settings.client(), request_timeout_ms=REQUEST_MS)
    try:
        await consumer.start()
        ends = await consumer.end_offsets(feeds)
    finally:
        await consumer.stop()
    return {f"{feed.topic}/{feed.partition}": end for feed, end in ends.items()}


async def _topics(settings: KafkaSettings) -> tuple[dict[str, int], dict[str, str]]:
    """Partitions and policies of those of our topics that exist; asking for another one could
    create it."""
    admin = AIOKafkaAdminClient(**settings.client(), request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        there = set(await admin.list_topics())
        ours = {*settings.read_topics, *settings.written_topics, settings.checkpoints_topic}
        wanted = sorted(ours & there)
        described = await admin.describe_topics(wanted) if wanted else []
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
        return partitions, await _policies(admin, there.intersection(settings.compacted_topics))
    finally:
        await admin.close()


async def _policies(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, str]:
    policies: dict[str, str] = {}
    for topic in topics:
        asked = ConfigResource(ConfigResourceType.TOPIC, topic, {_POLICY: None})
        (answer,) = await admin.describe_configs([asked])
        for *_, entries in answer.resources:
            policies[topic] = next((value for key, value, *_ in entries if key == _POLICY), "")
    return policies


def _topic(topic: str, seen: Seen, wanted: int) -> Finding:
    name = f"topic {topic}"
    found = seen.partitions.get(topic)
    if found is None:
        advice = "create it, or start caretally serve with --create-topics"
        return fail(name, "does not exist", advice)
    if found < wanted:
        advice = "add partitions, or set the number of partitions to what there is"
        return warn(name, f"{found} partitions, the settings say {wanted}", advice)
    return ok(name, f"{found} partitions")


def _compaction(topic: str, policy: str) -> Finding:
    """One that is deleted by age forgets what stands; one that is not compacted grows for ever."""
    if policy == "compact":
        return ok(f"compaction of {topic}", "the latest of each key is kept")
    advice = "set the topic's cleanup.policy to compact"
    return warn(f"compaction of {topic}", f"cleanup.policy is {policy}", advice)


def _positions(seen: Seen, tracking: Callable[[str], int | None]) -> Finding:
    """A log that ends before what was stored from it is another log of the same name."""
    try:
        stored = {feed: tracking(feed) for feed in seen.ends}
    except Exception as error:
        advice = "see the database's own findings"
        return warn("positions", f"cannot be read: {in_one_line(error)}", advice)
    beyond = [feed for feed, end in seen.ends.items() if (stored[feed] or 0) > end]
    if beyond:
        advice = "the topic was truncated or created anew: give it a new name"
        return fail("positions", f"stored beyond the end of {', '.join(beyond)}", advice)
    behind = sum(
        end - (0 if (at := stored[feed]) is None else at + 1) for feed, end in seen.ends.items()
    )
    return ok("positions", f"{max(0, behind):,} messages are not stored yet")
