"""What the reasons cost: `assess` beside a plain loop over the same months.

`python -m benchmarks.assess`. The plain side (`plain_month.py`) is what a script would do: the same
seconds, codes, dates of service and amounts, checked first, without reasons, evidence, options,
warnings or other years. Its inputs are plain values, read beforehand; ours are folded patients.
`first time` draws each patient's chart and counts every entry anew; `again` asks a patient whose
months did not change.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.plain_month import PlainPatient, plain_month, plain_patient
from benchmarks.workload import lines
from domain.assess import Assessment, assess
from domain.patient import Accepted, Patient, decide, evolve
from domain.policy import Policy
from domain.rules import BOOK
from services.bootstrap import calm_collector
from services.wire.decode import Accepted as Decoded
from services.wire.decode import decode_structured

RESULTS = Path(__file__).parent / "results" / "assess.json"
MONTHS = ("2025-01", "2025-02", "2025-03")
POLICY = Policy()
NOT_COUNTABLE = set(POLICY.not_countable)


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
    return list(patients.values()), [plain_patient(patient) for patient in patients.values()]


def ours(patients: list[Patient], anew: bool) -> float:
    """Seconds that `assess` took."""
    total = 0.0
    for patient in patients:
        if anew:
            patient.forget_chart()
        started = time.perf_counter()
        for month in MONTHS:
            assess(patient, month, BOOK, POLICY)
        total += time.perf_counter() - started
    return total


def theirs(patients: list[PlainPatient]) -> float:
    """Seconds that the plain loop took."""
    total = 0.0
    for patient in patients:
        started = time.perf_counter()
        for month in MONTHS:
            plain_month(patient, month, NOT_COUNTABLE)
        total += time.perf_counter() - started
    return total


def check_same(patients: list[Patient], plains: list[PlainPatient]) -> None:
    for patient, other in zip(patients, plains, strict=True):
        for month in MONTHS:
            ours = _without_reasons(assess(patient, month, BOOK, POLICY))
            theirs = plain_month(other, month, NOT_COUNTABLE)
            if ours != theirs:
                sys.exit(f"{patient.patient_id} {month}: {ours} and {theirs}")


def _without_reasons(answer: Assessment) -> dict[str, Any]:
    found = None
    if answer.codes and answer.payment:
        codes = {line.code: line.units for line in answer.codes}
        amount = answer.payment.amount
        found = {"codes": codes, "on": answer.date_of_service, "amount": amount}
    seconds = answer.seconds
    figures = {"logged": seconds.logged, "pooled": seconds.pooled, "excluded": seconds.excluded}
    return figures | {"answer": found}


def main() -> None:
    """Check, measure in alternating rounds, print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    patients, plains = load(options.events)
    check_same(patients, plains)
    calm_collector()
    sides: dict[str, Callable[[], float]] = {
        "plain loop": lambda: theirs(plains),
        "assess, first time": lambda: ours(patients, anew=True),
        "assess, again": lambda: ours(patients, anew=False),
    }
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(options.rounds):
        for name, work in sides.items():
            best[name] = min(best[name], work())
    _report(best, len(patients) * len(MONTHS))


def _report(best: dict[str, float], months: int) -> None:
    base = best["plain loop"]
    print(f"{'':20}{'patient-months/s':>18}{'us each':>9}{'times plain':>13}")
    for name, seconds in best.items():
        each = seconds / months
        print(f"{name:20}{1 / each:>18,.0f}{each * 1e6:>9.1f}{seconds / base:>13.1f}")
    print(f"{months:,} patient-months, both sides equal in seconds, codes, dates and amounts")
    RESULTS.parent.mkdir(exist_ok=True)
    rates = {name: round(months / seconds) for name, seconds in best.items()}
    ratio = round(best["assess, first time"] / base, 2)
    RESULTS.write_text(json.dumps({"patient_months_per_s": rates, "ratio": ratio}, indent=1) + "\n")


if __name__ == "__main__":
    main()
