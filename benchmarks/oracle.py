"""What the job's right result is, worked out the slow and obvious way, and whether another is it.

After every line the patient's months are summed anew from everything said so far. The result is
(1) seconds and units of every patient-month, (2) every unit reached or taken back, event by event.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peers.harness import Result

THRESHOLDS = (1200, 2400, 3600)
"""Seconds at which 99490 and the two units of 99439 are reached."""

Message = dict[str, Any]


class Digests(NamedTuple):
    """A result in short, to be compared and to be shown."""

    months: str
    transitions: str
    retracted: int
    """How many of the transitions take a unit back."""

    @classmethod
    def of(cls, result: Result) -> Digests:
        months = sorted(map(tuple, result["months"]))
        ordered = _by_patient(result)
        retracted = sum(not one[3] for one in result["transitions"])
        return cls(_digest(len(months), months), _digest(_count(ordered), ordered), retracted)


def right_result(file: Path) -> Result:
    """The result that every contestant must come to."""
    said: defaultdict[str, dict[tuple[str, str], Message]] = defaultdict(dict)
    months: dict[str, dict[str, int]] = {}
    result: Result = {"months": [], "transitions": []}
    with file.open("rb") as lines:
        for message in map(json.loads, lines):
            patient, key = message["subject"], (message["source"], message["id"])
            if key in said[patient]:
                continue
            said[patient][key] = message
            before, after = months.get(patient, {}), _months(said[patient].values())
            months[patient] = after
            for month in sorted(before.keys() | after.keys()):
                had, has = _units(before.get(month, 0)), _units(after.get(month, 0))
                for unit in range(min(had, has) + 1, max(had, has) + 1):
                    change = (patient, month, unit, has > had, message["id"])
                    result["transitions"].append(change)
    for patient, found in months.items():
        result["months"] += [(patient, month, s, _units(s)) for month, s in found.items() if s]
    return result


def net_of(result: Result) -> set[tuple[str, str, int]]:
    """What stands reached after all transitions."""
    standing = {(one[0], one[1], one[2]): one[3] for one in result["transitions"]}
    return {key for key, raised in standing.items() if raised}


def reached(result: Result) -> set[tuple[str, str, int]]:
    """What should stand reached by the months' units."""
    return {
        (patient, month, unit)
        for patient, month, _, units in result["months"]
        for unit in range(1, units + 1)
    }


def _months(messages: Iterable[Message]) -> dict[str, int]:
    entries: dict[str, Message] = {}
    for message in messages:
        entry = message["data"].get("entry_id")
        if entry and (entry not in entries or _order(message) > _order(entries[entry])):
            entries[entry] = message
    found: dict[str, int] = {}
    for message in entries.values():
        data = message["data"]
        if "started_at" in data:
            start, end = _instant(data["started_at"]), _instant(data["ended_at"])
            month = start.strftime("%Y-%m")
            found[month] = found.get(month, 0) + int((end - start).total_seconds())
    return found


def _order(message: Message) -> tuple[datetime, str, str]:
    return _instant(message["time"]), message["source"], message["id"]


_known: dict[str, datetime] = {}


def _instant(text: str) -> datetime:
    found = _known.get(text)
    if found is None:
        found = _known[text] = datetime.fromisoformat(text)
    return found


def _units(seconds: int) -> int:
    return sum(seconds >= threshold for threshold in THRESHOLDS)


def _by_patient(result: Result) -> list[tuple[str, list[list[Any]]]]:
    """Each patient's transitions in order; those of one event in the order of months and units."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for patient, *change in result["transitions"]:
        found[patient].append(change)
    return [
        (patient, [sorted(same) for _, same in groupby(found[patient], key=lambda one: one[3])])
        for patient in sorted(found)
    ]


def _count(ordered: list[tuple[str, list[list[Any]]]]) -> int:
    return sum(len(same) for _, groups in ordered for same in groups)


def _digest(count: int, value: object) -> str:
    exact = hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
    return f"{count:,} {exact}"
