"""Kafka: connection settings, topic set-up, and a real local broker for tests."""

from infra.kafka.settings import BreakerLimits, KafkaSettings
from infra.kafka.topics import ensure_topics

__all__ = ["BreakerLimits", "KafkaSettings", "ensure_topics"]
