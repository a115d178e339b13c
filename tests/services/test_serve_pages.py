"""The pages in a real serving process: a stream that is open never holds its end back."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.services.serving import serving
from tests.services.wire_examples import cloudevent

STRUCTURED = {"content-type": "application/cloudevents+json"}


def test_an_open_board_is_told_of_events_and_lets_the_process_end(tmp_path: Path) -> None:
    environment = {
        "CARETALLY_DATABASE": f"sqlite:///{tmp_path / 'store.db'}",
        "CARETALLY_HTTP": "127.0.0.1:0",
    }
    enrolled = cloudevent()
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        assert client.post("/api/v1/events", json=enrolled, headers=STRUCTURED).status_code == 202
        board = client.get("/board", follow_redirects=True)
        practice, patient = enrolled["practiceid"], enrolled["subject"]
        path = f"/board/{practice}/2025-03"
        assert board.status_code == 200
        with client.stream("GET", f"{path}/changes?after=0", timeout=20) as stream:
            lines = stream.iter_lines()
            told = next(line for line in lines if line.startswith("data"))
            assert told == f'data: ["{patient}"]'
            assert service.stop() == 0
    assert not [line for line in service.rest_of_log() if "did not end" in line["message"]]
