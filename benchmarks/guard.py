"""Fails when a hot path needs 15 % more instructions than it did. `python -m benchmarks.guard`.

Instructions are counted by valgrind's callgrind, not timed: what else the machine does cannot
change them, and built-in code counts as well as our own. Each path's count is divided by that of a
calibration loop of the same run, so that another build of Python or another processor moves both.
A baseline is of one minor version of Python; `--record` writes it anew after a change on purpose.

How it counts: the work is done inside a C function of the interpreter that hardly anybody calls,
callgrind collects inside that function alone and writes a count each time it returns.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hotpaths import PATHS, Inputs, Work, calibration

BASELINE = Path(__file__).with_name("guard.json")
LIMIT = 1.15
BETTER = 0.9
EVENTS = 1_000
WARMING_EVENTS = 250
MARK = "PyObject_Dir"
"""What `dir(anything)` calls, which asks the thing itself. Some modules use it at import."""
CALIBRATION = "calibration"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

_SLOWED = ", slowed on purpose"

Ratios = dict[str, float]


class CannotCount(Exception):
    """Why instructions cannot be counted here."""


def ratios(slowed: str = "", by: float = 0.0) -> Ratios:
    """Instructions of each path over those of the calibration loop. With `slowed` also those of
    that path with so much of its work `by` done once more, to see that it is noticed. Raises
    CannotCount."""
    if shutil.which("valgrind") is None:
        raise CannotCount("valgrind is not installed")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        counts = _counted(Path(folder), slowed, by)
    base = counts.pop(CALIBRATION)
    return {name: count / base for name, count in counts.items()}


def faults(found: Ratios, baseline: Ratios, limit: float = LIMIT) -> list[str]:
    """One sentence for each path that needs too many instructions."""
    return [
        f"{name}: {times:.2f} times the instructions of the baseline"
        for name, times in beside(found, baseline).items()
        if times > limit
    ]


def beside(found: Ratios, baseline: Ratios) -> Ratios:
    """Each path over what it was."""
    return {name: ratio / baseline[name.partition(_SLOWED)[0]] for name, ratio in found.items()}


def baseline() -> Ratios:
    """For this version of Python. Raises CannotCount where none is recorded."""
    known: dict[str, Ratios] = json.loads(BASELINE.read_text())
    if VERSION not in known:
        raise CannotCount(f"no baseline for Python {VERSION}; python -m benchmarks.guard --record")
    return known[VERSION]


def record(found: Ratios) -> None:
    known = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    known[VERSION] = {name: round(ratio, 4) for name, ratio in found.items()}
    BASELINE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def _counted(folder: Path, slowed: str, by: float) -> dict[str, int]:
    out = folder / "count"
    command = [
        *("valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}"),
        *(f"--toggle-collect={MARK}", f"--dump-after={MARK}", "--combine-dumps=no"),
        *(sys.executable, "-m", "benchmarks.guard", "--work", str(folder)),
        *(("--slowed", slowed, "--by", str(by)) if slowed else ()),
    ]
    steady = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, env=os.environ | steady, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotCount(f"valgrind: {(done.stderr or done.stdout).strip()[-300:]}")
    dumps = sorted(folder.glob("count.*"), key=lambda path: int(path.suffix[1:]))
    names = [CALIBRATION, *PATHS, *([slowed + _SLOWED] if slowed else [])]
    totals = [_total(path) for path in dumps][-len(names) :]
    return dict(zip(names, totals, strict=True))


def _total(path: Path) -> int:
    found = re.search(r"^totals: (\d+)", path.read_text(), re.MULTILINE)
    assert found, f"{path.name} has no total"
    return int(found[1])


def _work(folder: Path, slowed: str, by: float) -> None:
    """What valgrind runs: everything once to warm up, then once to be counted."""
    warming, inputs = Inputs(WARMING_EVENTS, folder, seed=2), Inputs(EVENTS, folder, seed=1)
    for make in PATHS.values():
        make(warming)()
    _count([calibration()])
    for make in PATHS.values():
        _count([make(inputs)])
    if slowed:
        make, more = PATHS[slowed], Inputs(int(EVENTS * by), folder, seed=3)
        _count([make(inputs), make(more)])


def _count(works: Sequence[Work]) -> None:
    gc.collect()
    gc.disable()
    dir(_Counted(works))
    gc.enable()


class _Counted:
    """Does its work inside `MARK`."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = works

    def __dir__(self) -> list[str]:
        for work in self._works:
            work()
        return []


def main() -> None:
    """Count, compare or record, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the baseline")
    parser.add_argument("--slowed", default="", choices=["", *PATHS], help="one path, on purpose")
    parser.add_argument("--by", type=float, default=0.2, help="so much of its work once more")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        _work(options.work, options.slowed, options.by)
        return
    try:
        found = ratios(options.slowed, options.by)
        if options.record:
            record({name: found[name] for name in PATHS})
        known = baseline()
    except CannotCount as error:
        sys.exit(str(error))
    for name, times in beside(found, known).items():
        print(f"{name:32}{found[name]:8.3f} of the loop, {times:.3f} of the baseline")
    if any(times < BETTER for times in beside(found, known).values()):
        print("better than the baseline: --record keeps it so")
    if wrong := faults(found, known):
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
