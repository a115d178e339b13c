"""How long a command takes to start. `python -m benchmarks.commands`.

Computing time of whole processes, the least of several, beside a process that only imports the
libraries every command stands on. What a command must not load is a test's business
(`tests/services/test_cli_frame.py`).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence

LIBRARIES = ("-c", "import typer, pydantic_settings")
COMMANDS = (
    ("--version",),
    ("--help",),
    ("assessments",),
    ("replay", os.devnull),
    ("dead-letters", "list"),
    ("doctor",),
)
ROUNDS = 5


def main() -> None:
    """Start each in turn, and print the seconds and their ratio to the libraries' own."""
    least: dict[Sequence[str], float] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        env = os.environ | {"CARETALLY_DATABASE": f"sqlite:///{folder}/log.db"}
        for _ in range(ROUNDS):
            for args in (LIBRARIES, *COMMANDS):
                least[args] = min(_spent(args, env), least.get(args, float("inf")))
    for args, seconds in least.items():
        name = "the libraries" if args is LIBRARIES else f"caretally {' '.join(args)}"
        print(f"{name:32}{seconds:6.2f} s {seconds / least[LIBRARIES]:6.1f} x")


def _spent(args: Sequence[str], env: dict[str, str]) -> float:
    command = [sys.executable, *(() if args is LIBRARIES else ("-m", "services.cli.main")), *args]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
