"""The ingest workload: three months of a practice group's events as JSON Lines, from a seed.

Shape: 50 lines a patient. Six make the chart complete, so that no month is blocked; 2 % of all
lines are voids or amendments, 5 % are byte-equal repetitions up to three days late, the rest are
clocked staff entries of up to five minutes. Lines are in the order of their days and shuffled
within each day, so corrections also arrive before the entries they correct.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from services.demo.vocabulary import clocked, message, performer, to_line

EVENTS_PER_PATIENT = 50
DUPLICATES_PERCENT = 5
CORRECTIONS_PERCENT = 2
FIRST_DAY = date(2025, 1, 1)
DAYS = 90
PRACTICES = 8
NPI = "1000000004"
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
SOURCE = "/ehr/bench"

Dated = tuple[int, dict[str, Any]]
"""The day's number, counted from the first day, and what was said on it."""


def write_workload(path: Path, events: int, seed: int = 1) -> int:
    """Write the workload of `events` lines to `path`; returns the number of bytes."""
    with path.open("wb") as file:
        file.writelines(lines(events, seed))
    return path.stat().st_size


def lines(events: int, seed: int = 1, first: int = 0) -> Iterator[bytes]:
    """The workload, line by line; patients are numbered from `first` on."""
    rng = random.Random(seed)
    days: defaultdict[int, list[bytes]] = defaultdict(list)
    for number in range(first, first + max(1, events // EVENTS_PER_PATIENT)):
        for day, said in _patient(rng, number):
            days[day].append(to_line(said))
    for day in sorted(days):
        rng.shuffle(days[day])
        yield from days[day]


def _patient(rng: random.Random, number: int) -> Iterator[Dated]:
    """All lines of one patient."""
    told: list[Dated] = [*_chart(number)]
    repeats = EVENTS_PER_PATIENT * DUPLICATES_PERCENT // 100 + (number % 2)
    corrections = EVENTS_PER_PATIENT * CORRECTIONS_PERCENT // 100
    entries = EVENTS_PER_PATIENT - len(told) - repeats - corrections
    slots = rng.sample([(day, hour) for day in range(DAYS) for hour in range(16, 24)], entries)
    work = [_entry(rng, number, n, slot) for n, slot in enumerate(slots)]
    told += work
    told += [_correction(rng, number, *one) for one in rng.sample(work, corrections)]
    told += [(day + rng.randrange(4), said) for day, said in rng.sample(told, repeats)]
    yield from told


def _said(
    number: int, name: str, type: str, time: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    return message(
        id=f"{number:06d}-{name}",
        source=SOURCE,
        type=type,
        practice=f"practice-{number % PRACTICES}",
        patient=f"pt-{number:06d}",
        time=time,
        data=data,
    )


def _chart(number: int) -> Iterator[Dated]:
    on = FIRST_DAY.isoformat()
    facts: list[tuple[str, dict[str, Any]]] = [
        (
            "patient.enrolled",
            {
                "effective_on": on,
                "timezone": ZONES[number % len(ZONES)],
                "billing_practitioner": {"npi": NPI, "credential": "MD"},
            },
        ),
        ("consent.recorded", {"consented_on": on, "method": "verbal", "npi": NPI}),
        ("visit.recorded", {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}),
        ("condition.recorded", {"code": "I10", "chronic": True}),
        ("condition.recorded", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded", {"action": "established", "on": on}),
    ]
    time = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 12, tzinfo=UTC)
    for n, (type, data) in enumerate(facts):
        yield -1, _said(number, f"c{n}", type, time, data)


def _entry(rng: random.Random, number: int, n: int, slot: tuple[int, int]) -> Dated:
    """One contact; a patient's contacts never overlap: one an hour, over before the next."""
    day, hour = slot
    start = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
    start += timedelta(days=day, hours=hour, seconds=rng.randrange(2400))
    seconds = rng.randrange(40, 300)
    who = performer(f"rn-{rng.randrange(40):02d}", "clinical_staff")
    data = clocked(f"{number:06d}-t{n}", who, "care_coordination", start, seconds)
    time = start + timedelta(seconds=seconds + rng.randrange(5, 300))
    return day, _said(number, f"e{n}", "time.logged", time, data)


def _correction(rng: random.Random, number: int, day: int, said: dict[str, Any]) -> Dated:
    """The same evening: the entry withdrawn, or shortened."""
    entry = said["data"]
    time = datetime.fromisoformat(said["time"]) + timedelta(minutes=30)
    name = f"x{entry['entry_id'][7:]}"
    if rng.random() < 0.5:
        data = {"entry_id": entry["entry_id"], "reason": "wrong-patient"}
        return day, _said(number, name, "time.voided", time, data)
    start = datetime.fromisoformat(entry["started_at"])
    who = entry["performer"]
    data = clocked(entry["entry_id"], who, entry["activity"], start, rng.randrange(15, 40))
    return day, _said(number, name, "time.amended", time, data | {"reason": "wrong-length"})
