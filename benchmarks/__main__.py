"""The one table: the same job, the product and what a user would pick instead. `make bench`.

`python -m benchmarks [--events 1000000]`. The job: events of patients over three months, 5 % said
twice, 2 % corrections, shuffled within each day, from a file or a topic; drop duplicates, keep the
rest durably, work out each patient-month's seconds and units, store every unit reached or taken
back. What each has stored is read back and must be what an obvious oracle says, else it is shown as
wrong.

Contestants run one after the other, in rounds, each in processes of its own; of each the best round
counts. Then each takes events as they come, at a rate that all can keep: from when an event was due
to be sent to its result lying there to be seen.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.arena import Arena, Run
from benchmarks.peers.contestants import CONTESTANTS
from benchmarks.table import printed, record, versions

RESULTS = Path(__file__).parent / "results"
LEAST = 1_000
"""Lines for those who take a part of the events only."""


def main() -> None:
    """Run all, print the table, write the results."""
    options = _options()
    chosen = [one for one in CONTESTANTS if not options.only or one.name in options.only]
    for name, version in versions().items():
        _tell(f"{name} {version}")
    runs: list[Run] = []
    paced: list[Run] = []
    load = f"{os.getloadavg()[0]:.1f} before"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        arena = Arena(Path(folder), options.seed)
        for number in range(1, options.rounds + 1):
            for one in chosen:
                if options.full and one.share > 1 and number > 1:
                    continue
                share = 1 if options.full else one.share
                runs.append(arena.run(one, max(LEAST, options.events // share)))
                _tell(f"round {number}: {one.name} {runs[-1].rate:,.0f}/s {runs[-1].faults}")
        for one in chosen if options.seconds else ():
            if one.has_pace and one.processes == 1:
                events = int(options.rate * options.seconds)
                paced.append(arena.run(one, events, options.rate))
                _tell(f"paced: {one.name} {paced[-1].milliseconds} {paced[-1].faults}")
    print("\n".join(printed(runs, paced, options.rate)))
    RESULTS.mkdir(exist_ok=True)
    told = record(runs, paced, options.rate, f"{load}, {os.getloadavg()[0]:.1f} after")
    (RESULTS / f"{options.name}.json").write_text(json.dumps(told, indent=1) + "\n")
    if wrong := sorted({run.name for run in runs + paced if run.faults.startswith("WRONG")}):
        sys.exit(f"wrong results: {', '.join(wrong)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000, help="50 a patient")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=200, help="events a second, paced")
    parser.add_argument("--seconds", type=float, default=15, help="paced; 0: not at all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", help="some of the contestants, by name")
    parser.add_argument(
        "--full",
        action="store_true",
        help="all events, in the first round, also for those that work event by event",
    )
    parser.add_argument("--name", default="peers", help="of the results' file")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
