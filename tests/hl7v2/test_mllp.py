"""MLLP over real sockets: acknowledged only once durable, exactly once across kills."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from services.wire.limits import MESSAGE_BYTES_MAX
from tests.hl7v2.mllp import Sender
from tests.hl7v2.sent import adt, er7, msh, pid, pv1
from tests.hl7v2.test_hl7_files import TOML
from tests.services.command import Command
from tests.services.serving import Serving, clean, serving


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Listening:
    """A process that listens, in a folder of its own; started again it has the same port."""

    def __init__(self, folder: Path, **more: str) -> None:
        (folder / "river.toml").write_text(TOML)
        self.port = free_port()
        self.database = f"sqlite:///{folder}/care.db"
        self.environment = {
            "CARETALLY_DATABASE": self.database,
            "CARETALLY_HTTP": "off",
            "CARETALLY_MLLP": f"127.0.0.1:{self.port}",
            "CARETALLY_FHIR_SITES": str(folder / "river.toml"),
            **more,
        }

    def ids(self) -> Counter[str]:
        store = open_store(self.database)
        found = Counter(json.loads(each.state)["id"] for each in store.log(0, 100_000))
        store.close()
        return found

    def reasons(self) -> list[str]:
        store = open_store(self.database)
        found = [letter.reason for letter in store.dead_letters()]
        store.close()
        return found


def started(service: Serving) -> None:
    service.until("MLLP is served at")
    service.until("started")


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    found = Listening(
        tmp_path, CARETALLY_MLLP_IDLE_SECONDS="2", CARETALLY_MLLP_CONNECTIONS_MAX="20"
    )
    with serving(found.environment, "--role", "ingest") as service:
        started(service)
        yield found


def stay(number: int | str) -> bytes:
    return adt("A01", pv1(f"v{number}"), control=f"m{number}")


def test_messages_are_acknowledged_by_what_becomes_of_them(listening: Listening) -> None:
    with Sender(listening.port) as sender:
        assert sender.send(stay(1)) == "AA"
        assert sender.send(stay(1)) == "AA"
        assert sender.send(adt("A01", pv1("v2", admitted="2025"), control="m2")) == "AA"
        assert sender.send(adt("A01", pv1(""), control="m3")) == "AE"
        assert sender.send(er7(msh("VXU^V04", "m4"), pid())) == "AA"
        assert sender.send(stay(5).replace(b"EHR|RIVER", b"EHR|HILL")) == "AR"
        assert sender.send(b"hello") == "AR"
        assert sender.send(b"") == "AR"
        error = sender.ask(adt("A01", pv1("v6", admitted="yesterday"), control="m6")).decode()
        assert "MSA|AE|m6" in error
        assert "|PV1^1^44|102^" in error
    assert sorted(listening.ids()) == ["Visit/v1/m1/stay"]
    assert listening.reasons() == [
        "imprecise-date",
        "missing-member",
        "unknown-site",
        "not-hl7v2",
        "not-hl7v2",
        "invalid-member",
    ]


def test_several_messages_at_once_are_answered_in_order(listening: Listening) -> None:
    with Sender(listening.port) as sender:
        messages = [stay(n) for n in range(50)]
        sender.socket.sendall(b"".join(b"\x0b" + each + b"\x1c\r" for each in messages))
        answers = [sender.answer().decode() for _ in messages]
    assert [answer.split("MSA|AA|")[1].strip() for answer in answers] == [
        f"m{n}" for n in range(50)
    ]
    assert len(listening.ids()) == 50


def test_a_message_may_come_in_pieces(listening: Listening) -> None:
    with Sender(listening.port) as sender:
        framed = b"\x0b" + stay(1) + b"\x1c\r"
        for at in range(0, len(framed), 40):
            sender.socket.sendall(framed[at : at + 40])
            time.sleep(0.01)
        assert b"MSA|AA|m1" in sender.answer()


def test_too_long_a_message_is_rejected_and_the_connection_ends(listening: Listening) -> None:
    with Sender(listening.port) as sender:
        long = adt("A01", "NTE|1||" + "x" * (2 * MESSAGE_BYTES_MAX), control="m1")
        assert sender.send(long) in ("AR", "")  # "": we closed while it still was sending
    assert listening.reasons() == ["too-large"]
    with Sender(listening.port) as sender:
        assert sender.send(stay(2)) == "AA"


def test_an_idle_connection_is_closed_and_a_broken_off_message_is_not_taken(
    listening: Listening,
) -> None:
    with Sender(listening.port) as idle, Sender(listening.port) as broken:
        broken.socket.sendall(b"\x0b" + stay(1)[:50])
        assert (idle.answer(), broken.answer()) == (b"", b"")
    assert listening.ids() == Counter()
    assert listening.reasons() == []


def test_connections_beyond_the_limit_are_refused_and_the_others_served(
    listening: Listening,
) -> None:
    senders = [Sender(listening.port) for _ in range(20)]
    assert senders[19].send(stay(19)) == "AA"
    with Sender(listening.port) as one_more:
        assert one_more.answer() == b""
    assert senders[0].send(stay(0)) == "AA"
    for sender in senders:
        sender.close()


def test_many_senders_share_transactions(listening: Listening) -> None:
    codes: list[str] = []

    def send(number: int) -> None:
        with Sender(listening.port) as sender:
            codes.extend(sender.send(stay(f"{number}-{n}")) for n in range(20))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["AA"] * 300
    assert set(listening.ids().values()) == {1}
    assert len(listening.ids()) == 300


def test_every_message_is_taken_exactly_once_though_the_process_is_killed(tmp_path: Path) -> None:
    """A sender that sends again whatever was not acknowledged, and a listener killed under it."""
    listening = Listening(tmp_path)
    left, tries = [stay(n) for n in range(400)], 0
    stop = threading.Event()

    def send() -> None:
        nonlocal tries
        while left and not stop.is_set():
            try:
                with Sender(listening.port) as sender:
                    while left and sender.send(left[0]) == "AA":
                        left.pop(0)
            except OSError:
                time.sleep(0.02)
            tries += 1

    thread = threading.Thread(target=send)
    for kill in range(4):
        with serving(listening.environment, "--role", "ingest") as service:
            started(service)
            if not kill:
                thread.start()
            wanted = 400 - 90 * (kill + 1)
            end = time.monotonic() + 30
            while len(left) > wanted and time.monotonic() < end:
                time.sleep(0.002)
            service.process.kill()
    with serving(listening.environment, "--role", "ingest") as service:
        started(service)
        thread.join(60)
        stop.set()
        assert service.stop() == 0
    assert left == []
    assert tries >= 4
    found = listening.ids()
    assert found == Counter({f"Visit/v{n}/m{n}/stay": 1 for n in range(400)})


def test_a_stop_acknowledges_what_is_in_hand(tmp_path: Path) -> None:
    listening = Listening(tmp_path)
    with serving(listening.environment, "--role", "ingest") as service:
        started(service)
        with Sender(listening.port) as sender, Sender(listening.port) as idle:
            assert sender.send(stay(1)) == "AA"
            assert service.stop() == 0
            assert idle.answer() == b""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"CARETALLY_MLLP": "0.0.0.0:2575"}, "mllp_cafile for client certificates or mllp_peers"),
        ({"CARETALLY_MLLP": "here"}, "expected HOST:PORT"),
        ({"CARETALLY_MLLP_PEERS": "x"}, "CARETALLY_MLLP_PEERS"),
        ({"CARETALLY_MLLP_CERTFILE": "x"}, "expected both or none"),
        ({"CARETALLY_FHIR_SITES": ""}, "needs a site profile with [hl7v2]"),
        ({"CARETALLY_MLLP_SITE": "hill"}, "expected one of river"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_start(
    tmp_path: Path, settings: dict[str, str], said: str
) -> None:
    given = {**Listening(tmp_path).environment, **settings}
    ran = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "serve", "--role", "ingest"],
        env=clean(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, said in ran.stderr) == (2, True), ran.stderr


def test_a_letter_of_mllp_is_put_in_again(listening: Listening, tmp_path: Path) -> None:
    with Sender(listening.port) as sender:
        sender.send(stay(1).replace(b"EHR|RIVER", b"EHR|HILL"))
    profile = tmp_path / "river.toml"
    profile.write_text(TOML.replace('["EHR|RIVER"]', '["EHR|RIVER", "EHR|HILL"]'))
    command = Command(tmp_path)
    sites = {"CARETALLY_FHIR_SITES": str(profile)}
    ran = command("dead-letters", "replay", "--reason", "unknown-site", **sites)
    assert ran.code == 0, ran.err
    assert list(listening.ids()) == ["Visit/v1/m1/stay"]
