"""A real Apache Kafka (KRaft, one node) on this machine's loopback, for tests.

The jars come from Maven once and stay in the user's cache; Java 17 or later runs them.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from infra.kafka.jars import KafkaUnavailable, jars
from infra.kafka.topics import ask, create_topic

START_SECONDS = 60.0

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=300
"""

_LOG4J = """\
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
"""

_JVM = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class LocalKafka:
    """One broker on free loopback ports with its data in a temporary folder."""

    def __init__(self) -> None:
        """Raises `KafkaUnavailable` where Java or Maven is missing or the jars do not come."""
        for program in ("java", "mvn"):
            if shutil.which(program) is None:
                raise KafkaUnavailable(f"{program} is not installed")
        self._classpath = f"{jars()}/*"
        self._folder = Path(tempfile.mkdtemp(prefix="caretally-kafka-"))
        self._broker_port, controller = _free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(controller)
        self._java("kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", self._config)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._broker_port}"

    @property
    def running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the broker does not run")
        return self._process.pid

    def __enter__(self) -> LocalKafka:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the broker on its data and return once it answers."""
        with open(self._folder / "broker.log", "ab") as log:
            self._process = subprocess.Popen(
                [*self._command(), "kafka.Kafka", self._config], stdout=log, stderr=log
            )
        self._await_answer()

    def stop(self) -> None:
        """End the broker in an orderly way; one that does not end in time is killed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the broker at once, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same ports and data, after `kill()` or `stop()` or from running."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the broker: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen broker go on."""
        os.kill(self.pid, signal.SIGCONT)

    def create_topic(
        self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> None:
        """Create a topic; raises `KafkaError` when the broker refuses."""
        create_topic(self.bootstrap, name, partitions, config)

    def log_tail(self) -> str:
        """The last of what the broker said."""
        return (self._folder / "broker.log").read_text("utf-8", "replace")[-2000:]

    def _configure(self, controller: int) -> None:
        self._config = str(self._folder / "server.properties")
        text = _PROPERTIES.format(
            broker=self._broker_port, controller=controller, data=self._folder / "data"
        )
        Path(self._config).write_text(text, "utf-8")
        (self._folder / "log4j2.properties").write_text(_LOG4J, "utf-8")

    def _command(self) -> list[str]:
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        return ["java", *_JVM, log4j, "-cp", self._classpath]

    def _java(self, *arguments: str) -> None:
        done = subprocess.run(
            [*self._command(), *arguments], capture_output=True, timeout=START_SECONDS, check=False
        )
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace")[-400:]
            raise KafkaUnavailable(f"{arguments[0]} failed (Java 17 or later is needed): {said}")

    def _await_answer(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process is not None and self._process.poll() is not None:
                break
            if _port_open(self._broker_port) and _answers(self.bootstrap):
                return
            time.sleep(0.05)
        raise KafkaUnavailable(f"the broker did not start: {self.log_tail()}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _cluster_id() -> str:
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A", 1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(server.getsockname()[1]) for server in sockets]
    for server in sockets:
        server.close()
    return ports


def _port_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _answers(bootstrap: str) -> bool:
    try:
        ask(bootstrap, lambda admin: admin.list_topics())
    except (KafkaError, OSError):
        return False
    return True
