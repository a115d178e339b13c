"""The same log folded three ways: as scripts would, and as an audit does.

All fold a log that lies in memory already, and come to the same seconds and units.
"""

from __future__ import annotations

import json

from benchmarks.peers.plain import Change, PlainPatient
from domain.assess import assessments
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_row, transition_columns
from infra.codec import decode_history, split_stream_id
from projections.live import LivePatient
from projections.ports import StoredEvent

POLICY = Policy()

Totals = dict[tuple[str, str], tuple[int, int, int]]
"""Pooled seconds and units of 99490 and 99439 by stream and month."""


def dict_fold(log: list[StoredEvent]) -> Totals:
    """Event by event, with every unit that is reached or taken back: the dict of the table of
    peers, which is asked what an audit asks of us."""
    patients: dict[str, PlainPatient] = {}
    told: list[tuple[str, str, Change]] = []
    for event in log:
        said = json.loads(event.state)
        patient = patients.get(event.stream_id)
        if patient is None:
            patient = patients[event.stream_id] = PlainPatient()
        for change in patient.take(said) or ():
            told.append((event.stream_id, said["id"], change))
    units: dict[tuple[str, str], int] = {}
    for stream, _, (month, unit, reached) in told:
        units[stream, month] = unit if reached else unit - 1
    return {
        (stream, month): _total(seconds, units.get((stream, month), 0))
        for stream, patient in patients.items()
        for month, seconds in patient.seconds.items()
        if seconds
    }


def _total(seconds: int, units: int) -> tuple[int, int, int]:
    return (seconds, min(units, 1), max(units - 1, 0))


def dict_sums(log: list[StoredEvent]) -> Totals:
    """What stands at the end, and nothing of the way there: what changed when is not known."""
    standing: dict[str, dict[str, tuple[str, str, str, str, str]]] = {}
    for event in log:
        said = json.loads(event.state)
        data = said["data"]
        if "entry_id" not in data:
            continue
        entries = standing.setdefault(event.stream_id, {})
        row = (
            said["time"],
            said["source"],
            said["id"],
            data.get("started_at", ""),
            data.get("ended_at", ""),
        )
        known = entries.get(data["entry_id"])
        if known is None or row[:3] > known[:3]:
            entries[data["entry_id"]] = row
    seconds: dict[tuple[str, str], int] = {}
    for stream, entries in standing.items():
        for *_, started, ended in entries.values():
            if started:
                worked = _clock(ended) - _clock(started)
                month = (stream, started[:7])
                seconds[month] = seconds.get(month, 0) + worked
    return {month: _total(total, min(3, total // 1200)) for month, total in seconds.items()}


def _clock(text: str) -> int:
    """Seconds of a day: the workload's contacts end on the UTC day on which they began, but for
    the last hour's, which may end on the next one."""
    day, hour, minute, second = text[8:10], text[11:13], text[14:16], text[17:19]
    return ((int(day) * 24 + int(hour)) * 60 + int(minute)) * 60 + int(second)


def our_fold(log: list[StoredEvent]) -> Totals:
    histories: dict[str, list[StoredEvent]] = {}
    for stored in log:
        histories.setdefault(stored.stream_id, []).append(stored)
    totals: Totals = {}
    for stream, history in histories.items():
        address = split_stream_id(stream)
        live = LivePatient(Patient(*address))
        for stored, event in zip(history, decode_history(stream, history), strict=True):
            at = event.recorded_at_us or 0
            for change in live.take(event, at, BOOK, POLICY)[1]:
                transition_columns(stream, *address, change, event.key, stored.version, at)
        for answer in assessments(live.patient, BOOK, POLICY):
            assessment_row(stream, answer)
            units = {line.code: line.units for line in answer.codes}
            counted = (answer.seconds.pooled, units.get("99490", 0), units.get("99439", 0))
            if counted[0]:
                totals[stream, answer.month] = counted
    return totals
