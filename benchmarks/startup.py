"""Starting again after a kill, over a log of any length.

A process takes a file, is killed in the middle with SIGKILL, and another one takes the same file:
from the start of that one, imports included, to its first lines being durable. It goes on to the
end of the file, and tells how much memory it held at most.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.longhistory import history
from benchmarks.peers.harness import peak_bytes, say

BATCH = 250
ENTRIES = 94
"""Of each patient, and six facts besides: 100 events."""
KILLED_AFTER = 3
"""Transactions of the process that is killed."""


class Start(NamedTuple):
    seconds: float
    """From the start to the first transaction."""
    memory_bytes: int
    """At most, after all lines of the file."""


def start_after_kill(url: str, name: str, patients: int = 800) -> Start:
    """Over the store at `url`; the new patients' ids begin with `name`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "lines.jsonl"
        lines = [line for n in range(patients) for line in history(ENTRIES, f"{name}-{n}")]
        file.write_bytes(b"".join(lines))
        victim, heard = _process(url, file)
        for _ in range(KILLED_AFTER):
            heard()
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        began = time.perf_counter()
        process, heard = _process(url, file)
        heard()
        seconds = time.perf_counter() - began
        while (said := heard()).startswith("stored"):
            pass
        process.wait()
    return Start(seconds, int(said.split()[1]))


def _process(url: str, file: Path) -> tuple[subprocess.Popen[str], Callable[[], str]]:
    command = [sys.executable, "-m", "benchmarks.startup", url, str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline


def take(url: str, file: Path) -> None:
    """Take the file, saying when each transaction is durable and, at the end, the peak memory."""
    from infra.settings import Settings
    from services.bootstrap import calm_collector, composed
    from services.doors.files import ingest_file

    with composed(Settings(database=url)) as parts:
        calm_collector()
        ingest_file(parts.ingest(), parts.store, file, BATCH, lambda n: say(f"stored {n}"))
    say(f"peak {peak_bytes()}")


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]))
