"""How to reach Kafka, and the names used there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from typing import Any, Literal

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

EVENTS_TOPIC = "ehr.events.v1"
ALERTS_TOPIC = "ccm.alerts.v1"
ALERT_STATE_TOPIC = "ccm.alert-state.v1"
ASSESSMENTS_TOPIC = "ccm.assessments.v1"

_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """How bad a feed must be to be left waiting. A limit of 0 is never reached."""

    in_a_row: int
    """Messages refused one after the other, in the order of reading."""
    percent: int
    """Share of the last `window` messages that were refused; not looked at before there are so
    many."""
    window: int


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where Kafka is, how to be let in, and what to read and write there.

    `bootstrap` is `host:port[,host:port…]`. With `ssl_cafile` empty the machine's own
    authorities are trusted. `group_instance_id` (one per process, stable over its restarts)
    makes a quick restart free of a rebalance. The last three topics are not written where their
    names are empty; `alerts_partitions` is for all that are written, but that of checkpoints has
    one.
    """

    bootstrap: str
    security_protocol: SecurityProtocol = "PLAINTEXT"
    ssl_cafile: str = ""
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: str = ""
    client_id: str = "caretally"
    group_id: str = "caretally-ingest"
    group_instance_id: str | None = None
    events_topic: str = EVENTS_TOPIC
    fhir_topic: str = ""
    """Empty: not read; so with the next one."""
    hl7v2_topic: str = ""
    changes_topics: tuple[str, ...] = ()
    alerts_topic: str = ALERTS_TOPIC
    alert_state_topic: str = ALERT_STATE_TOPIC
    assessments_topic: str = ASSESSMENTS_TOPIC
    checkpoints_topic: str = ""
    events_partitions: int = 12
    alerts_partitions: int = 6
    replication: int = 1
    max_records: int = 2000
    batch_timeout_ms: int = 10
    session_timeout_ms: int = 10_000
    breaker_in_a_row: int = 100
    breaker_percent: int = 50
    breaker_window: int = 1000

    def __post_init__(self) -> None:
        if not self.bootstrap.strip():
            raise ValueError("kafka bootstrap: expected host:port[,host:port...], got nothing")
        if self.uses_sasl and not (self.sasl_username and self.sasl_password):
            raise ValueError(
                f"kafka sasl_username and sasl_password: expected both with"
                f" security_protocol {self.security_protocol}"
            )
        if not 1 <= self.max_records <= 100_000:
            raise ValueError(f"kafka max_records: expected 1 to 100000, got {self.max_records}")

    def __repr__(self) -> str:
        """Without the password: settings end up in logs."""
        return f"KafkaSettings({self.bootstrap}, {self.security_protocol}, {self.group_id})"

    @property
    def compacted_topics(self) -> tuple[str, ...]:
        """Those we write that keep the latest message of each key alone."""
        return tuple(name for name in (self.alert_state_topic, self.assessments_topic) if name)

    @property
    def read_topics(self) -> tuple[str, ...]:
        topics = (self.events_topic, self.fhir_topic, self.hl7v2_topic, *self.changes_topics)
        return tuple(filter(None, topics))

    def of_feed(self, topic: str, name: str) -> KafkaSettings:
        """The same for the door that reads another form's topic: a group of its own, so that a
        rebalance of one topic does not hold up the other."""
        return replace(self, events_topic=topic, group_id=f"{self.group_id}-{name}")

    @property
    def written_topics(self) -> tuple[str, ...]:
        return (self.alerts_topic, *self.compacted_topics)

    @property
    def breaker(self) -> BreakerLimits:
        return BreakerLimits(self.breaker_in_a_row, self.breaker_percent, self.breaker_window)

    @property
    def uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def ssl_context(self) -> ssl.SSLContext | None:
        """What TLS trusts and shows; None where the protocol has no TLS."""
        if not self.uses_tls:
            return None
        context = ssl.create_default_context(cafile=self.ssl_cafile or None)
        if self.ssl_certfile:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile or None)
        return context

    def security(self) -> BaseSecurity:
        """The same for FastStream."""
        if not self.uses_sasl:
            return BaseSecurity(ssl_context=self.ssl_context(), use_ssl=self.uses_tls)
        return _SASL[self.sasl_mechanism](
            username=self.sasl_username,
            password=self.sasl_password,
            ssl_context=self.ssl_context(),
            use_ssl=self.uses_tls,
        )

    def client(self) -> dict[str, Any]:
        """Keyword arguments that every aiokafka client takes."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap.split(","),
            "client_id": self.client_id,
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context(),
        }
        if self.uses_sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password
        return options
