"""What the reasons cost: `assess` beside a plain loop over the same months.

`python -m benchmarks.assess`. The plain side does what a script would: cut at the month's
local bounds, union the intervals of each pool, compare with the thresholds. It has no
prerequisites, exclusions, reasons, dates, prices or warnings. On this workload both must come to
the same pooled seconds and codes, which is checked first. Its inputs are plain tuples, read
beforehand; ours are folded patients. `cold` draws each patient's chart anew, `warm` keeps it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.workload import lines
from domain.assess import assess
from domain.facts import Clocked, PatientEnrolled, Role, TimeAmended, TimeLogged, TimeVoided
from domain.patient import Accepted, Patient, decide, evolve
from domain.policy import Policy
from domain.rules import BOOK
from services.wire.decode import Accepted as Decoded
from services.wire.decode import decode_structured

RESULTS = Path(__file__).parent / "results" / "assess.json"
MONTHS = ("2025-01", "2025-02", "2025-03")
POLICY = Policy()

Entry = tuple[str, int, int]
"""(role, start, end) of standing clocked work."""


@dataclass(frozen=True, slots=True)
class PlainPatient:
    zone: str
    entries: list[Entry]


@cache
def bounds(zone: str, month: str) -> tuple[int, int]:
    """The month's first instant and the next month's, in this zone."""
    year, number = int(month[:4]), int(month[5:])
    after = (year + number // 12, number % 12 + 1)
    first = datetime(year, number, 1, tzinfo=ZoneInfo(zone))
    return int(first.timestamp()), int(datetime(*after, 1, tzinfo=ZoneInfo(zone)).timestamp())


def union_seconds(intervals: list[tuple[int, int]]) -> int:
    """Seconds covered by at least one interval."""
    total, reached = 0, -1
    for start, end in sorted(intervals):
        if end > reached:
            total += end - max(start, reached)
            reached = end
    return total


def plain(patient: PlainPatient, month: str) -> tuple[int, dict[str, int]]:
    """Pooled seconds and the codes of every family the seconds reach: the first one's."""
    first, after = bounds(patient.zone, month)
    pooled, practitioner = [], []
    for role, start, end in patient.entries:
        start, end = max(start, first), min(end, after)
        if start < end:
            pooled.append((start, end))
            if role == "billing_practitioner":
                practitioner.append((start, end))
    staff, own = union_seconds(pooled), union_seconds(practitioner)
    if own >= 1800:
        further = own // 1800 - 1
        return staff, {"99491": 1} | ({"99437": further} if further else {})
    if staff >= 1200:
        further = min(2, staff // 1200 - 1)
        return staff, {"99490": 1} | ({"99439": further} if further else {})
    return staff, {}


def load(events: int) -> tuple[list[Patient], list[PlainPatient]]:
    """The same workload for both sides."""
    patients: dict[str, Patient] = {}
    for line in lines(events):
        decoded = decode_structured(line.rstrip())
        assert isinstance(decoded, Decoded)
        said = decoded.event
        patient = patients.setdefault(said.patient_id, Patient(said.practice_id, said.patient_id))
        if isinstance(decide(patient, said), Accepted):
            evolve(patient, said)
    return list(patients.values()), [_plain_of(patient) for patient in patients.values()]


def _plain_of(patient: Patient) -> PlainPatient:
    """What a script would have kept: the standing entries, and the zone."""
    zone = "UTC"
    standing: dict[str, Entry] = {}
    for said in sorted(patient.events.values(), key=lambda said: said.order):
        fact = said.fact
        if isinstance(fact, PatientEnrolled):
            zone = fact.timezone
        elif isinstance(fact, TimeVoided):
            standing.pop(fact.entry_id, None)
        elif isinstance(fact, TimeLogged | TimeAmended) and isinstance(fact.work, Clocked):
            role = Role(fact.performer.role).value
            standing[fact.entry_id] = (role, fact.work.started_at, fact.work.ended_at)
    return PlainPatient(zone, list(standing.values()))


def ours(patients: list[Patient], cold: bool) -> None:
    for patient in patients:
        if cold:
            patient.forget_chart()
        for month in MONTHS:
            assess(patient, month, BOOK, POLICY)


def theirs(patients: list[PlainPatient]) -> None:
    for patient in patients:
        for month in MONTHS:
            plain(patient, month)


def check_same(patients: list[Patient], plains: list[PlainPatient]) -> None:
    for patient, other in zip(patients, plains, strict=True):
        for month in MONTHS:
            answer = assess(patient, month, BOOK, POLICY)
            found = answer.seconds.pooled, {one.code: one.units for one in answer.codes}
            if found != plain(other, month):
                sys.exit(f"{patient.patient_id} {month}: {found} and {plain(other, month)}")


def seconds_of(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Check, measure in alternating rounds, print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    patients, plains = load(options.events)
    check_same(patients, plains)
    sides: dict[str, Callable[[], None]] = {
        "plain loop": lambda: theirs(plains),
        "assess, warm": lambda: ours(patients, cold=False),
        "assess, cold": lambda: ours(patients, cold=True),
    }
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(options.rounds):
        for name, work in sides.items():
            best[name] = min(best[name], seconds_of(work))
    _report(best, len(patients) * len(MONTHS))


def _report(best: dict[str, float], months: int) -> None:
    base = best["plain loop"]
    print(f"{'':16}{'patient-months/s':>18}{'us each':>9}{'times plain':>13}")
    for name, seconds in best.items():
        each = seconds / months
        print(f"{name:16}{1 / each:>18,.0f}{each * 1e6:>9.1f}{seconds / base:>13.1f}")
    print(f"{months:,} patient-months, both sides equal in seconds and codes")
    RESULTS.parent.mkdir(exist_ok=True)
    rates = {name: round(months / seconds) for name, seconds in best.items()}
    ratio = round(best["assess, warm"] / base, 2)
    RESULTS.write_text(json.dumps({"patient_months_per_s": rates, "ratio": ratio}, indent=1) + "\n")


if __name__ == "__main__":
    main()
