"""The API as `caretally serve` serves it: a process, a database in a file, a token."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import httpx
import pytest

from tests.services.command import Command, command
from tests.services.serving import eventually, serving

__all__ = ["command"]

EXAMPLE = Path(__file__).parents[2] / "examples/march.jsonl"
MONTH = "/api/v1/practices/p1/patients/pt1/months/2025-03"


@pytest.fixture
def environment(command: Command) -> dict[str, str]:
    assert command("ingest", EXAMPLE).code == 0
    return {"CARETALLY_DATABASE": command.database, "CARETALLY_HTTP": "127.0.0.1:0"}


def test_it_answers_what_the_command_prints_and_figures_follow(
    command: Command, environment: dict[str, str]
) -> None:
    printed = command("assessments", "--month", "2025-03").out.strip()
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        assert client.get(MONTH).content == printed
        assert printed in client.get("/api/v1/assessments").content
        panel = client.get("/api/v1/panel", params={"month": "2025-03"})
        eventually(lambda: bool(client.get(panel.url).json()["items"]))
        assert client.get(panel.url).json()["items"][0]["codes"] == {"99490": 1}
        document = client.get("/api/v1/openapi.json").json()
        assert document["security"] == [{}, {"token": []}]
        assert service.stop() == 0
    assert MONTH in command("audit", "access", "list").out.decode()


def token(command: Command, practice: str) -> str:
    """A service token of a coordinator of this practice."""
    said = command("tokens", "add", practice, "--role", "coordinator", "--practice", practice)
    assert said.code == 0, said.err
    found = re.search(rb"ctk_\S+", said.out)
    assert found
    return found[0].decode()


def test_where_people_are_told_apart_a_token_sees_its_practice(
    command: Command, environment: dict[str, str]
) -> None:
    tokens = {practice: token(command, practice) for practice in ("p1", "p2")}
    environment["CARETALLY_HTTP_AUTH"] = "tokens"
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:

        def status(practice: str) -> int:
            headers = {"authorization": f"Bearer {tokens[practice]}"}
            return client.get(MONTH, headers=headers).status_code

        assert client.get(MONTH).status_code == 401
        assert (status("p1"), status("p2")) == (200, 404)
        document = client.get("/api/v1/openapi.json").json()
        assert document["security"] == [{"token": []}]


def test_probes_are_answered_while_everybody_reads(environment: dict[str, str]) -> None:
    with serving(environment) as service:
        base = service.base()
        ended = threading.Event()

        def read() -> None:
            with httpx.Client(base_url=base, timeout=60) as client:
                while not ended.is_set():
                    client.get("/api/v1/assessments", params={"all_months": "true"})

        readers = [threading.Thread(target=read) for _ in range(8)]
        for reader in readers:
            reader.start()
        with httpx.Client(base_url=base, timeout=5) as client:
            for _ in range(20):
                assert client.get("/livez").status_code == 200
        ended.set()
        for reader in readers:
            reader.join()
        assert service.stop() == 0
