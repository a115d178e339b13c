"""Settings from the environment (`CARETALLY_…`) and an optional TOML file (`CARETALLY_CONFIG`).

The environment wins. A file's members have the same names, in small letters and without the
prefix, and it may hold policies: `[policy]` for every practice, `[practice."p1".policy]` for one,
and operators of several practices: `[operator."north"]`.
Unsafe combinations are refused here, at start, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from domain.policy import Policy
from infra.access_settings import AccessSettings
from infra.addresses import is_loopback, split_address
from infra.configfile import ConfigFile, SettingsError, read_config
from infra.feed_settings import FeedSettings, listed
from infra.mllp_settings import MllpSettings
from infra.origins import Origin

if TYPE_CHECKING:
    from infra.kafka.settings import KafkaSettings

__all__ = ["Settings", "SettingsError", "load_settings", "unknown_variables"]

PREFIX = "CARETALLY_"
CONFIG = f"{PREFIX}CONFIG"
_OTHERS = (f"{PREFIX}TEST_", f"{PREFIX}REQUIRE_SERVICES", f"{PREFIX}DB_PASSWORD", CONFIG)
"""Variables of ours that are not settings: the tests' and the compose file's."""


class Settings(AccessSettings, FeedSettings, MllpSettings):
    """Everything a process can be told. Names are those of the variables without the prefix."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, validate_default=False
    )

    database: str = "sqlite:///caretally.db"
    data: str = ""
    """Folder of imported fee files; by default `caretally-data` beside an SQLite database, or in
    the working folder."""
    batch_size: int = Field(20_000, ge=1, le=100_000)
    """Lines of a file in one transaction."""
    patients_max: int = Field(50_000, ge=1, le=10_000_000)
    """Patients an ingest process keeps in memory."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    ready_lag_max: int = Field(100_000, ge=0)
    """A process that is more messages behind its feed is not ready."""

    kafka: str | None = None
    """Bootstrap servers `host:port[,host:port…]`; without them there is no Kafka."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ssl_cafile: str = ""
    kafka_ssl_certfile: str = ""
    kafka_ssl_keyfile: str = ""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str = ""
    kafka_sasl_password: SecretStr = SecretStr("")
    kafka_client_id: str = "caretally"
    kafka_group_id: str = "caretally-ingest"
    kafka_group_instance_id: str | None = None
    kafka_events_topic: str = "ehr.events.v1"
    kafka_fhir_topic: str = "ehr.fhir.v1"
    """Read where there are site profiles; so is the next one, where one has `[hl7v2]`."""
    kafka_hl7v2_topic: str = "ehr.hl7v2.v1"
    kafka_alerts_topic: str = "ccm.alerts.v1"
    kafka_alert_state_topic: str = "ccm.alert-state.v1"
    """Empty: not written; so with the next one."""
    kafka_assessments_topic: str = "ccm.assessments.v1"
    kafka_checkpoints_topic: str = "ccm.checkpoints.v1"
    """Written where `signing_key` is set."""
    kafka_events_partitions: int = Field(12, ge=1, le=10_000)
    kafka_alerts_partitions: int = Field(6, ge=1, le=10_000)
    """Of each topic that is written."""
    kafka_replication: int = Field(1, ge=1, le=15)
    kafka_max_records: int = Field(2000, ge=1, le=100_000)
    kafka_batch_timeout_ms: int = Field(10, ge=0, le=60_000)
    kafka_session_timeout_ms: int = Field(10_000, ge=1_000, le=300_000)
    kafka_breaker_in_a_row: int = Field(100, ge=0, le=1_000_000)
    """The feed is left waiting once so many messages in a row were refused; 0: never."""
    kafka_breaker_percent: int = Field(50, ge=0, le=100)
    """… once this share of the last `kafka_breaker_window` messages was refused; 0: never."""
    kafka_breaker_window: int = Field(1000, ge=1, le=1_000_000)

    fhir_sites: str = ""
    """Site profiles: files or folders of TOML, parted by commas. Without them FHIR is not taken."""

    webhooks_allow_private: bool = False
    """Webhooks may go to private addresses, and over plain http."""
    alertmanager: str = ""
    """Base addresses of an Alertmanager, `http://host:9093[,http://host:9093…]` for a cluster."""
    notify_urls: SecretStr = SecretStr("")
    """Channels for people: URLs of apprise, parted by blanks."""

    signing_key: str = ""
    """File of the private key that signs checkpoints of the log; without one none are made."""
    checkpoints: str = ""
    """Folder that checkpoints are published to; by default `checkpoints` in the data folder."""
    checkpoint_seconds: int = Field(3600, ge=0, le=604_800)
    """How often role `projector` makes one; 0: never."""
    actor: str = ""
    """Who reads, for the access log, where it is not the user of the operating system."""

    _file: ConfigFile = ConfigFile()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment above the file, which comes in through the constructor."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @field_validator("database")
    @classmethod
    def _database(cls, url: str) -> str:
        if url.startswith(("postgresql://", "postgres://")):
            return url
        if url.startswith("sqlite:///") and url[10:] not in ("", ":memory:"):
            return url
        raise ValueError("expected sqlite:///FILE or postgresql://USER@HOST/NAME")

    @field_validator("kafka")
    @classmethod
    def _kafka(cls, servers: str | None) -> str | None:
        if servers is None or not servers.strip():
            return None
        for server in servers.split(","):
            split_address(server)
        return servers.replace(" ", "")

    @field_validator("alertmanager")
    @classmethod
    def _alertmanager(cls, urls: str) -> str:
        for url in urls.replace(" ", "").split(",") if urls.strip() else ():
            scheme, _, host = url.partition("://")
            if scheme not in ("http", "https") or not host.strip("/"):
                raise ValueError("expected http://HOST:PORT or https://HOST:PORT")
        return urls.replace(" ", "")

    @model_validator(mode="after")
    def _safe(self) -> Settings:
        if self.kafka is not None:
            self._safe_kafka(self.kafka)
        return self

    def _safe_kafka(self, servers: str) -> None:
        names = [self.kafka_events_topic, self.kafka_alerts_topic]
        names += [self.kafka_fhir_topic, self.kafka_hl7v2_topic, *listed(self.kafka_changes_topics)]
        names += filter(None, (self.kafka_alert_state_topic, self.kafka_assessments_topic))
        if not all(names) or len(set(names)) < len(names):
            raise ValueError(
                "kafka_alerts_topic: expected a name for events, feeds and alerts, and every "
                f"topic's name another; found {', '.join(names)}"
            )
        if self.kafka_changes_topics and not self.mappings:
            raise ValueError("kafka_changes_topics: needs mappings, which say what the tables mean")
        uses_sasl = self.kafka_security_protocol.startswith("SASL_")
        password = self.kafka_sasl_password.get_secret_value()
        if uses_sasl and not (self.kafka_sasl_username and password):
            raise ValueError(
                f"kafka_security_protocol: {self.kafka_security_protocol} needs "
                "kafka_sasl_username and kafka_sasl_password"
            )
        if password and not uses_sasl:
            raise ValueError(
                "kafka_sasl_password: it would not be used with kafka_security_protocol "
                f"{self.kafka_security_protocol}; expected SASL_SSL"
            )
        hosts = [split_address(server)[0] for server in servers.split(",")]
        in_clear = self.kafka_security_protocol == "SASL_PLAINTEXT"
        if in_clear and self.kafka_sasl_mechanism == "PLAIN" and not all(map(is_loopback, hosts)):
            raise ValueError(
                "kafka_sasl_mechanism: PLAIN without TLS would send the password in the clear; "
                "expected kafka_security_protocol SASL_SSL"
            )

    @property
    def data_folder(self) -> Path:
        """Where imported fee files are kept."""
        if self.data:
            return Path(self.data)
        beside = self.database.startswith("sqlite:///")
        return (Path(self.database[10:]).parent if beside else Path()) / "caretally-data"

    @property
    def file(self) -> ConfigFile:
        """What the settings file said beyond plain settings: policies, and operators."""
        return self._file

    @cached_property
    def policy_of(self) -> Callable[[str], Policy]:
        """Gives the policies of a practice: its own over the file's defaults over the contract's.

        Asked for every event, and a settings object takes microseconds to find a member.
        """
        practices, default = self._file.practices, self._file.policy
        return lambda practice_id: practices.get(practice_id, default)

    @property
    def checkpoint_folder(self) -> Path:
        """Where checkpoints are published to."""
        return Path(self.checkpoints) if self.checkpoints else self.data_folder / "checkpoints"

    def kafka_settings(self) -> KafkaSettings | None:
        """What the Kafka adapters need, None without Kafka."""
        if self.kafka is None:
            return None
        from infra.kafka.settings import KafkaSettings

        given = self.model_dump(include=set(_KAFKA_FIELDS))
        values = {name.removeprefix("kafka_"): value for name, value in given.items()}
        if not self.fhir_sites:
            values["fhir_topic"] = values["hl7v2_topic"] = ""
        values["changes_topics"] = listed(self.kafka_changes_topics)
        values["sasl_password"] = self.kafka_sasl_password.get_secret_value()
        if not self.signing_key:
            values["checkpoints_topic"] = ""
        return KafkaSettings(self.kafka, **values)


_KAFKA_FIELDS = [name for name in Settings.model_fields if name.startswith("kafka_")]


def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError with one line a fault."""
    path = os.environ.get(CONFIG)
    file = read_config(Path(path), set(Settings.model_fields)) if path else ConfigFile()
    try:
        settings = Settings(**file.members)
    except ValidationError as error:
        origin = Origin(PREFIX, os.environ, file)
        raise SettingsError("\n".join(origin.sentence(e) for e in error.errors())) from None
    settings._file = file
    return settings


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """One sentence for each `CARETALLY_…` variable that nothing reads: most likely a typo."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + [CONFIG]
    sentences = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or name.startswith(_OTHERS):
            continue
        close = get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        sentences.append(f"{name} is set but is not a setting{meant}")
    return sentences
