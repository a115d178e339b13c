"""Who may send over MLLP: by network, and by client certificate."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hl7v2.mllp import Sender
from tests.hl7v2.test_mllp import Listening, started, stay
from tests.notify.test_outbound_tls import certificate
from tests.services.serving import serving


@pytest.mark.parametrize(
    ("peers", "code"), [("127.0.0.0/8", "AA"), ("10.0.0.0/8,192.0.2.7", ""), ("127.0.0.1", "AA")]
)
def test_only_peers_are_listened_to(tmp_path: Path, peers: str, code: str) -> None:
    listening = Listening(tmp_path, CARETALLY_MLLP_PEERS=peers)
    with serving(listening.environment, "--role", "ingest") as service:
        started(service)
        with Sender(listening.port) as sender:
            assert sender.send(stay(1)) == code
    assert len(listening.ids()) == (code == "AA")


def test_a_sender_must_show_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    key, ours = certificate(tmp_path / "ours", "127.0.0.1")
    their_key, theirs = certificate(tmp_path / "theirs", "ehr.example")
    files = {"CERTFILE": ours, "KEYFILE": key, "CAFILE": theirs}
    given = {f"CARETALLY_MLLP_{name}": str(file) for name, file in files.items()}
    listening = Listening(tmp_path, **given)
    known = ssl.create_default_context(cafile=str(ours))
    known.load_cert_chain(theirs, their_key)
    stranger = ssl.create_default_context(cafile=str(ours))
    with serving(listening.environment, "--role", "ingest") as service:
        started(service)
        with Sender(listening.port, tls=known) as sender:
            assert sender.send(stay(1)) == "AA"
        code = ""
        with suppress(OSError), Sender(listening.port, tls=stranger) as sender:
            code = sender.send(stay(2))
        assert code == ""
        with Sender(listening.port) as plain:
            assert plain.send(stay(3)) == ""
    assert list(listening.ids()) == ["Visit/v1/m1/stay"]
