"""The AsyncAPI 3 document: channels, what is read and what is written there, and every message."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import metadata
from typing import Final

from infra.kafka.topics import COMPACTED, KEPT
from infra.settings import Settings
from services.asyncapi.messages import ALERT_STATE as STATE_MESSAGE
from services.asyncapi.messages import JSON, KAFKA_BINDING, Part, messages
from services.asyncapi.schemas import ALERT, ASSESSMENT, CHECKPOINT, schemas
from services.wire.envelope import ENVELOPE_OF_TYPE

_SASL: Final = {
    "PLAIN": "plain",
    "SCRAM-SHA-256": "scramSha256",
    "SCRAM-SHA-512": "scramSha512",
}

EVENTS, ALERTS = "events", "alerts"
ALERT_STATE, ASSESSMENTS = "alertState", "assessments"
CHECKPOINTS = "checkpoints"

_COMPACTED: Final[Part] = {name: [value] for name, value in COMPACTED.items()}
_KEPT: Final[Part] = {
    "cleanup.policy": [KEPT["cleanup.policy"]],
    "retention.ms": int(KEPT["retention.ms"]),
}


def document(settings: Settings) -> Part:
    """The document under these settings, as JSON values; equal settings give equal documents."""
    about = metadata("caretally")
    described = messages()
    channels = _channels(settings, described)
    components: Part = {"messages": described, "schemas": schemas()}
    found: Part = {
        "asyncapi": "3.0.0",
        "info": {
            "title": about["Name"],
            "version": about["Version"],
            "description": about["Summary"],
            "license": {"name": about["License-Expression"]},
        },
        "defaultContentType": JSON,
        "channels": channels,
        "operations": _operations(settings, channels),
        "components": components,
    }
    if settings.kafka is not None:
        found["servers"] = {"kafka": _server(settings, settings.kafka, components)}
    return found


def _server(settings: Settings, bootstrap: str, components: Part) -> Part:
    protocol = settings.kafka_security_protocol
    server: Part = {
        "host": bootstrap.split(",")[0],
        "protocol": "kafka-secure" if protocol.endswith("SSL") else "kafka",
    }
    if protocol.startswith("SASL_"):
        components["securitySchemes"] = {"sasl": {"type": _SASL[settings.kafka_sasl_mechanism]}}
        server["security"] = [{"$ref": "#/components/securitySchemes/sasl"}]
    return server


def _channels(settings: Settings, described: Iterable[str]) -> Part:
    inbound = [name for name in described if name.partition(".binary")[0] in ENVELOPE_OF_TYPE]
    channels = {
        EVENTS: _channel(
            settings.kafka_events_topic,
            settings.kafka_events_partitions,
            inbound,
            "Facts about patients, keyed <practiceid>/<subject>. An unknown member is kept and "
            "ignored. What cannot be taken is kept as a dead letter and stops nothing.",
        ),
        ALERTS: _channel(
            settings.kafka_alerts_topic,
            settings.kafka_alerts_partitions,
            [ALERT],
            "Every transition of an alert, keyed by patient, in order for each patient, at least "
            "once: ce_id is the same each time.",
        ),
    }
    for name, topic, message, text in (
        (
            ALERT_STATE,
            settings.kafka_alert_state_topic,
            STATE_MESSAGE,
            "Where each alert stands: its latest transition, keyed by alert.",
        ),
        (
            ASSESSMENTS,
            settings.kafka_assessments_topic,
            ASSESSMENT,
            "The latest assessment of each patient-month, keyed <practiceid>/<subject>/<month>. "
            "A record without a value says that the month has none any more.",
        ),
    ):
        if topic:
            partitions = settings.kafka_alerts_partitions
            channels[name] = _channel(topic, partitions, [message], text, _COMPACTED)
    if topic := settings.kafka_checkpoints_topic:
        text = "Every signed checkpoint of the log in order, where a signing key is set."
        channels[CHECKPOINTS] = _channel(topic, 1, [CHECKPOINT], text, _KEPT)
    for channel in channels.values():
        channel["bindings"]["kafka"]["replicas"] = settings.kafka_replication
    return channels


def _channel(
    topic: str,
    partitions: int,
    messages: Iterable[str],
    text: str,
    configuration: Part | None = None,
) -> Part:
    binding: Part = {"topic": topic, "partitions": partitions, "bindingVersion": KAFKA_BINDING}
    if configuration is not None:
        binding["topicConfiguration"] = configuration
    return {
        "address": topic,
        "description": text,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": binding},
    }


def _operations(settings: Settings, channels: Iterable[str]) -> Part:
    found: Part = {}
    for channel in channels:
        action = "receive" if channel == EVENTS else "send"
        operation: Part = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}
        if channel == EVENTS:
            group = {"type": "string", "enum": [settings.kafka_group_id]}
            operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": KAFKA_BINDING}}
        found[f"{action}{channel[0].upper()}{channel[1:]}"] = operation
    return found
