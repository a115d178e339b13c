"""One performer at two patients at once: clocked work, counted overlap by overlap.

Pure. A stretch of work is what one standing clocked entry has in one month of its patient's
calendar. Two stretches of one performer in one practice overlap when they share an instant and
belong to different patients. What is known at any time is a function of the set of stretches, so
order and repetition change nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.entries import Entry
from domain.event import Event
from domain.facts import (
    Clocked,
    EventRetracted,
    Instant,
    Month,
    PatientDisenrolled,
    PatientEnrolled,
    PatientMerged,
    TimeAmended,
    TimeLogged,
    TimeVoided,
)
from domain.patient import Patient
from domain.time.calendar import months_possible
from domain.time.timeline import Timeline

STRETCH_SECONDS_MAX = 86_400
"""No entry is longer, so what overlaps begins at most this much earlier."""

Staff = tuple[str, str]
"""Practice and performer."""

Booked = tuple[str, Month]
"""A patient's stream and a month: whose overlaps with others are counted."""


class Stretch(NamedTuple):
    """Clocked work of one entry in one month, from `start` up to `end`."""

    start: Instant
    end: Instant
    stream_id: str
    entry_id: str
    month: Month

    @property
    def booked(self) -> Booked:
        return (self.stream_id, self.month)


def stretches(
    patient: Patient, entry: Entry | None, stream_id: str, default_timezone: str
) -> tuple[tuple[Staff, Stretch], ...]:
    """What stands of an entry as clocked work, by month; none where it is unclocked or voided."""
    standing = entry.standing if entry is not None else None
    if patient.chart.merged is not None:
        return ()  # they are another's now
    if standing is None or not isinstance(standing.work, Clocked):
        return ()
    fact = standing.event.fact
    assert isinstance(fact, TimeLogged | TimeAmended)
    staff, work = (patient.practice_id, fact.performer.id), standing.work
    months = months_possible(work.started_at, work.ended_at)
    if len(months) == 1:
        only = Stretch(work.started_at, work.ended_at, stream_id, standing.entry_id, months[0])
        return ((staff, only),)
    timeline = Timeline(patient.chart.spans, default_timezone)
    return tuple(
        (staff, Stretch(start, end, stream_id, standing.entry_id, month))
        for month in months
        for start, end in _runs(timeline, month, work)
    )


def _runs(timeline: Timeline, month: Month, work: Clocked) -> Iterator[tuple[Instant, Instant]]:
    """The unbroken parts of the work whose local dates lie in the month."""
    run: tuple[Instant, Instant] | None = None
    for day in timeline.days(month).days:
        start, end = max(day.start, work.started_at), min(day.end, work.ended_at)
        if start >= end:
            continue
        if run is not None and run[1] == start:
            run = (run[0], end)
            continue
        if run is not None:
            yield run
        run = (start, end)
    if run is not None:
        yield run


def entries_moved(patient: Patient, event: Event) -> set[str]:
    """Entries of which this event, not folded yet, may change what stands or where it lies."""
    fact = event.fact
    if isinstance(fact, TimeLogged | TimeAmended | TimeVoided):
        return {fact.entry_id}
    if isinstance(fact, PatientMerged):
        return {entry.entry_id for entry in patient.entries}
    if isinstance(fact, PatientEnrolled | PatientDisenrolled):
        return {entry.entry_id for entry in patient.entries if len(entry.months) > 1}
    if isinstance(fact, EventRetracted):
        target = patient.event((fact.event_source, fact.event_id))
        if target is not None and isinstance(target.fact, EventRetracted):
            return {entry.entry_id for entry in patient.entries}
        return entries_moved(patient, target) if target is not None else set()
    return set()


class Rota:
    """The stretches of some staff, and how many overlaps each patient's month has.

    Holds what was put in and nothing else: who reads from a store puts in every stretch that may
    overlap with what is going to change.
    """

    def __init__(self) -> None:
        self._of: dict[Staff, list[Stretch]] = {}
        self.overlaps: dict[tuple[Staff, Booked], int] = {}

    def know(self, staff: Staff, stretch: Stretch) -> None:
        """Put in a stretch whose overlaps are counted already."""
        insort(self._of.setdefault(staff, []), stretch)

    def add(self, staff: Staff, stretch: Stretch) -> list[Stretch]:
        """One more stretch; those of other patients that it overlaps with."""
        beside = self._count(staff, stretch, 1)
        self.know(staff, stretch)
        return beside

    def remove(self, staff: Staff, stretch: Stretch) -> list[Stretch]:
        """One stretch less; those of other patients that it overlapped with."""
        known = self._of[staff]
        del known[known.index(stretch)]
        return self._count(staff, stretch, -1)

    def _count(self, staff: Staff, stretch: Stretch, by: int) -> list[Stretch]:
        beside = list(self._beside(staff, stretch))
        for other in beside:
            for one in (stretch, other):
                counted = (staff, one.booked)
                self.overlaps[counted] = self.overlaps.get(counted, 0) + by
        return beside

    def _beside(self, staff: Staff, stretch: Stretch) -> Iterable[Stretch]:
        """Other patients' stretches that share an instant with this one."""
        known = self._of.get(staff, [])
        first = bisect_left(known, (stretch.start - STRETCH_SECONDS_MAX,))
        for other in known[first:]:
            if other.start >= stretch.end:
                break
            if other.end > stretch.start and other.stream_id != stretch.stream_id:
                yield other
