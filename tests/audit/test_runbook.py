"""The audit's runbook: every command on it runs, on the demo's clinic, in its order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.command import ROOT

PAGE = ROOT / "docs" / "runbooks" / "audit.md"
BLOCK = re.compile(r"^```(sh)?\n(.*?)^```", re.M | re.S)
CHANGING = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z"
    r"|[A-Za-z0-9+/]{43,}=*"
    r"|\([a-z_][\w-]*\)(?=  command)"
    r"|\d,\d{3}|^\d{4}$|\d+(?= assessments)"
)
"""Instants, hashes, the system's user, and how far the demo's day came: others in every run."""


def masked(line: str) -> str:
    return CHANGING.sub("*", line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("letter")


@pytest.fixture(scope="module")
def told(folder: Path) -> str:
    """What a reader would type, typed; all that was printed."""
    commands = [text for shell, text in BLOCK.findall(PAGE.read_text("utf-8")) if shell]
    (folder / "examples").symlink_to(ROOT / "examples")
    head = f'set -e\ncaretally() {{ "{sys.executable}" -m services.cli.main "$@"; }}\n'
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CARETALLY_")}
    done = subprocess.run(
        ["bash", "-c", head + "\n".join(commands)],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=480,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_from_the_letter_to_the_packet(told: str) -> None:
    """What the page says of each step holds."""
    for words in (
        '"status":"claimed"',
        "Made the difference",
        "call was with another patient",
        "Claims no longer supported as claimed: 1 month, 39.04 USD at stake",
        "pt-0005-as-billed.zip: claimed 99490 + 99439 90.46 USD",
        '"status":"diverged"',
        "probe.zip: 3 packets, 0 refused",
        "time not counted: not-countable",
    ):
        assert words in told, words


def test_what_the_page_prints_is_printed(told: str) -> None:
    """Line by line, but for instants and hashes; a line that ends in … goes on."""
    printed = {masked(line) for line in told.splitlines()}
    shown = [text for shell, text in BLOCK.findall(PAGE.read_text("utf-8")) if not shell]
    assert len(shown) == 5
    for line in map(masked, "".join(shown).splitlines()):
        if line.endswith("…"):
            assert any(other.startswith(line[:-1]) for other in printed), line
        else:
            assert line in printed, line


@pytest.mark.usefixtures("told")
def test_proofs_and_the_export_of_reads_are_what_the_page_says(folder: Path) -> None:
    claim = json.loads((folder / "inclusion.json").read_text("utf-8"))["inclusion"]
    assert claim["name"] == "month.claimed.v1"
    assert claim["stream"] == "clinic-demo/pt-0005"
    sizes = json.loads((folder / "consistency.json").read_text("utf-8"))["consistency"]
    assert sizes["to"] == sizes["from"] + 1
    lines = (folder / "access.ndjson").read_text("utf-8").splitlines()
    reads = [json.loads(line) for line in lines]
    assert {read["resourceType"] for read in reads} == {"AuditEvent"}
    whole_panel = [r for r in reads if "pt-0005" not in json.dumps(r)]
    assert whole_panel
