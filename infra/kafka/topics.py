"""Topics, made only when asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    NodeNotReadyError,
    TopicAlreadyExistsError,
    for_code,
)

from infra.kafka.settings import KafkaSettings

COMPACTED = {"cleanup.policy": "compact"}
"""Of a topic that keeps the latest message of each key for ever."""

KEPT = {"cleanup.policy": "delete", "retention.ms": "-1"}
"""Of a topic that keeps every message for ever."""


async def ensure_topics(settings: KafkaSettings) -> list[str]:
    """Create the topics that are missing; returns the names of those created.

    An existing topic is left as it is, whatever its partitions. Raises `KafkaError`.
    """
    wanted = [
        NewTopic(name, settings.events_partitions, settings.replication)
        for name in settings.read_topics
    ]
    for name in settings.written_topics:
        configs = COMPACTED if name in settings.compacted_topics else {}
        wanted.append(
            NewTopic(name, settings.alerts_partitions, settings.replication, topic_configs=configs)
        )
    if name := settings.checkpoints_topic:
        wanted.append(NewTopic(name, 1, settings.replication, topic_configs=KEPT))
    admin = AIOKafkaAdminClient(**settings.client())
    await admin.start()
    try:
        reply = await admin.create_topics(wanted)
    except AttributeError:
        # The client trips over a cluster whose brokers are not registered (yet, or any more).
        raise NodeNotReadyError("the cluster has no controller yet") from None
    finally:
        await admin.close()
    return _created(reply.topic_errors)


def _created(results: list[tuple[str | int, ...]]) -> list[str]:
    created = []
    for topic, code, *rest in results:
        error = for_code(code)
        if error is TopicAlreadyExistsError:
            continue
        if code:
            raise error(f"topic {topic}: {rest[0] if rest else 'not created'}")
        created.append(str(topic))
    return created


def create_topic(
    bootstrap: str, name: str, partitions: int, config: Mapping[str, str] | None = None
) -> None:
    """Create a topic on any broker; raises `KafkaError` when it refuses."""

    async def create(admin: AIOKafkaAdminClient) -> None:
        reply = await admin.create_topics(
            [NewTopic(name, partitions, 1, topic_configs=dict(config or {}))]
        )
        for _, code, *_rest in reply.topic_errors:
            if code:
                raise for_code(code)(f"topic {name} was not created")

    ask(bootstrap, create)


def ask(bootstrap: str, question: Callable[[AIOKafkaAdminClient], Awaitable[object]]) -> None:
    """Ask the broker something, from code with or without a running event loop."""

    async def run() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
        await admin.start()
        try:
            await question(admin)
        finally:
            await admin.close()

    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, run()).result()
