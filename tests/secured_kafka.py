"""A real broker with a second listener that wants TLS and a password (SASL, SCRAM and PLAIN)."""

from __future__ import annotations

import socket
from pathlib import Path

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from infra.kafka.local import LocalKafka

USER, PASSWORD = "caretally", "a password of the tests alone"

_LINES = """\
listeners={plain_at},{secured_at},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={plain_at},{secured_at}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.certificate.chain={certificate}
ssl.keystore.key={key}
listener.name.secured.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.secured.plain.sasl.jaas.config={plain} required user_{user}="{password}";
listener.name.secured.scram-sha-512.sasl.jaas.config={scram} required;
"""
_LOGIN = "org.apache.kafka.common.security"


class SecuredKafka(LocalKafka):
    """Its plain listener is for the tests; `secured` is what is under test."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._secured_port = free.getsockname()[1]
        super().__init__()

    @property
    def secured(self) -> str:
        return f"127.0.0.1:{self._secured_port}"

    def _configure(self, controller: int) -> None:
        super()._configure(controller)
        with open(self._config, "a", encoding="utf-8") as config:
            config.write(
                _LINES.format(
                    plain_at=f"PLAINTEXT://{self.bootstrap}",
                    secured_at=f"SECURED://{self.secured}",
                    controller=controller,
                    certificate=_in_one_line(self._certificate),
                    key=_in_one_line(self._key),
                    plain=f"{_LOGIN}.plain.PlainLoginModule",
                    scram=f"{_LOGIN}.scram.ScramLoginModule",
                    user=USER,
                    password=PASSWORD,
                )
            )

    def add_user(self) -> None:
        """Let the user in by SCRAM."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(USER, info, PASSWORD.encode())
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for done in admin.alter_user_scram_credentials([change]).values():
            done.result(20)


def _in_one_line(file: Path) -> str:
    """A PEM as the value of a property."""
    return file.read_text("ascii").strip().replace("\n", "\\n")
