"""A real serving process: started, asked over HTTP, stopped by signal."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

START_SECONDS = 30.0


class Serving:
    """One `caretally serve` process and the lines of its log."""

    def __init__(self, environment: Mapping[str, str], *options: str) -> None:
        self.log: list[dict[str, Any]] = []
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", "serve", *options],
            env=clean(environment),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def until(self, words: str, seconds: float = START_SECONDS) -> dict[str, Any]:
        """The first log line from here on with these words."""
        end = time.monotonic() + seconds
        while True:
            line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            assert line is not None, f"it ended without {words!r}: {self.log}"
            self.log.append(line)
            if words in line["message"]:
                return line

    def base(self) -> str:
        """The base URL once HTTP is served and everything is started."""
        url: str = self.until("HTTP is served at")["message"].rpartition(" ")[2]
        self.until("started")
        return url

    def stop(self, number: int = signal.SIGTERM, seconds: float = 10.0) -> int:
        """Send the signal; the exit code, which must come in time."""
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)

    def rest_of_log(self) -> list[dict[str, Any]]:
        """The whole log of a process that has ended."""
        while (line := self._lines.get(timeout=5)) is not None:
            self.log.append(line)
        return self.log


@contextmanager
def serving(environment: Mapping[str, str], *options: str) -> Iterator[Serving]:
    found = Serving(environment, *options)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
        found.process.wait()


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with no settings of ours but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARETALLY_")}
    return {**kept, **environment}


def eventually(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def figures(client: httpx.Client) -> dict[str, float]:
    """Our own metrics, by name and labels."""
    lines = client.get("/metrics").text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if line.startswith("caretally_"))
    return {name: float(value) for name, _, value in pairs}
