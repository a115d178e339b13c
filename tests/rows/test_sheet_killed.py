"""An import that is killed goes on where it was: no row lost, none taken twice."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

from projections.ports import Store
from tests.rows.test_sheet_command import PLAIN
from tests.rows.test_sheets import HEAD
from tests.services.command import ROOT, START, Command
from tests.services.serving import eventually

ROWS = 4_000


def test_a_killed_import_is_finished_by_the_next(command: Command, store: Store) -> None:
    mapping, sheet = command.folder / "t.toml", command.folder / "year.csv"
    mapping.write_text(PLAIN % "")
    dates = [f"{n % 12 + 1}/{n % 28 + 1}/2025" for n in range(ROWS)]
    rows = [f"{n},pt{n % 40},Ann,call,{on},{n % 9 + 1},Final" for n, on in enumerate(dates)]
    sheet.write_text("\n".join([HEAD, *rows]) + "\n")
    arguments = [*START, "ingest", "--mapping", str(mapping), str(sheet)]
    small = command.environment() | {"CARETALLY_BATCH_SIZE": "50"}
    for killed_after in (1, 1_000):
        with subprocess.Popen(arguments, cwd=ROOT, env=small, stderr=subprocess.DEVNULL) as process:
            eventually(lambda most=killed_after: store.head() >= most, 60)  # type: ignore[misc]
            process.kill()
    assert store.head() < ROWS
    finished = command("ingest", "--mapping", mapping, sheet, "--json").lines()[0]
    assert finished["files"][0]["resumed_after"] > 1_000
    ids = Counter(json.loads(stored.state)["id"] for stored in store.log(0, 2 * ROWS))
    assert (len(ids), set(ids.values())) == (ROWS, {1})
    logged = sum(answer["seconds"]["logged"] for answer in map(json.loads, store.assessments()))
    assert logged == sum((n % 9 + 1) * 60 for n in range(ROWS))
    assert not store.dead_letters()
