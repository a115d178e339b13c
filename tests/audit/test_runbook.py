"""The audit's runbook: every command on it runs, on the demo's clinic, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.services.command import ROOT

PAGE = ROOT / "docs" / "runbooks" / "audit.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


def test_from_the_letter_to_the_packet(tmp_path: Path) -> None:
    """What a reader would type, typed; what the page says of it holds."""
    commands = BLOCK.findall(PAGE.read_text("utf-8"))
    assert len(commands) == 9
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    head = f'set -e\ncaretally() {{ "{sys.executable}" -m services.cli.main "$@"; }}\n'
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CARETALLY_")}
    done = subprocess.run(
        ["bash", "-c", head + "\n".join(commands)],
        cwd=tmp_path,
        env=kept | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in (
        '"status":"claimed"',
        "Made the difference",
        "call was with another patient",
        "Claims no longer supported as claimed: 1 month, 39.04 USD at stake",
        "pt-0005-as-billed.zip: claimed 99490 + 99439 90.46 USD",
        '"status":"diverged"',
        "probe.zip: 3 packets, 0 refused",
        "time not counted: not-countable",
    ):
        assert told in done.stdout, told
