"""The rebuild of month assessments: made anew from the log, compared, put in place."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from domain.assess import answer, assessments, reckon
from domain.facts import Month
from domain.patient import Patient, evolve, months_touched
from domain.policy import Policy
from domain.rules import RuleBook
from infra.answers import assessment_row
from infra.codec import decode_history, split_stream_id
from projections.ports import AssessmentRow
from projections.rebuilding import Difference, History, Made, Progress, Rebuilding, compared

STREAMS_AT_ONCE: Final = 200
EVENTS_AT_ONCE: Final = 2_000
"""Events of the log whose patients are brought up to date in one transaction."""

LAST_EVENTS_MAX: Final = 200
"""Events folded while others wait for the switch: some tenths of a second."""

PATIENTS_MAX: Final = 20_000
"""Patients kept folded while the rebuild follows the log."""

RETRY_SECONDS: Final = 0.05

Told = Callable[[Progress, int], None]
"""Hears of each step and how many patients it made."""


class Remaker:
    """Folds histories into rows; keeps patients, so that only what is new is folded again."""

    def __init__(
        self,
        book: RuleBook,
        policy_of: Callable[[str], Policy],
        patients_max: int = PATIENTS_MAX,
    ) -> None:
        self._book = book
        self._policy_of = policy_of
        self._limit = patients_max
        self._patients: OrderedDict[str, Patient] = OrderedDict()

    def version(self, stream_id: str) -> int:
        """Up to which version a stream is folded already."""
        known = self._patients.get(stream_id)
        return known.version if known is not None else 0

    def remake(self, histories: Sequence[History]) -> list[Made]:
        made = [self._made(history) for history in histories]
        while len(self._patients) > self._limit:
            self._patients.popitem(last=False)
        return made

    def forget(self, stream_ids: Iterable[str]) -> None:
        """What was folded of these was not written, or is not needed again."""
        for stream_id in stream_ids:
            self._patients.pop(stream_id, None)

    def _made(self, history: History) -> Made:
        stream_id = history.stream.stream_id
        known = self._patients.get(stream_id)
        patient = known or Patient(*split_stream_id(stream_id))
        touched: set[Month] = set()
        for event in decode_history(stream_id, history.stream.events):
            evolve(patient, event)
            if known is not None:
                touched |= months_touched(patient, event)
        self._patients[stream_id] = patient
        self._patients.move_to_end(stream_id)
        rows = self._rows(stream_id, patient, touched if known is not None else None)
        if known is None:
            touched = {row.month for row in (*history.live, *rows)}
        return Made(stream_id, touched, rows, compared(history.live, rows, touched))

    def _rows(
        self, stream_id: str, patient: Patient, months: Iterable[Month] | None
    ) -> list[AssessmentRow]:
        """Rows of these months, of all where None."""
        policy = self._policy_of(patient.practice_id)
        if months is None:
            answers = assessments(patient, self._book, policy)
        else:
            reckoned = (reckon(patient, month, self._book, policy) for month in sorted(months))
            answers = [answer(patient, r, self._book) for r in reckoned if r.has_ground]
        return [assessment_row(stream_id, found) for found in answers]


def rebuild(
    port: Rebuilding,
    remaker: Remaker,
    making: str,
    told: Told = lambda _progress, _patients: None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Make the read model anew, follow the log, and switch. Killed and run again, it goes on.

    True where it went on with a rebuild that was begun earlier. Raises RebuildTaken when another
    process does the same.
    """
    progress = port.begin(making)
    resumed = progress.whole or bool(progress.stream)
    progress = _all_streams(port, remaker, progress, told)
    while True:
        progress = _catch_up(port, remaker, progress, told)
        folded: list[str] = []

        def remake(histories: Sequence[History], folded: list[str] = folded) -> list[Made]:
            folded += [history.stream.stream_id for history in histories]
            return remaker.remake(histories)

        if port.switch(progress, remake, remaker.version, LAST_EVENTS_MAX):
            port.clear()
            return resumed
        remaker.forget(folded)
        sleep(RETRY_SECONDS)


def _all_streams(port: Rebuilding, remaker: Remaker, progress: Progress, told: Told) -> Progress:
    """Every patient there is, in order of stream ids."""
    while not progress.whole:
        streams = port.streams(progress.stream, STREAMS_AT_ONCE)
        after = replace(progress, whole=True)
        if streams:
            after = replace(progress, stream=streams[-1])
        made = remaker.remake(port.histories(dict.fromkeys(streams, 0)))
        remaker.forget(streams)
        port.keep(progress, after, made)
        progress = after
        told(progress, len(streams))
    return progress


def _catch_up(port: Rebuilding, remaker: Remaker, progress: Progress, told: Told) -> Progress:
    """Along the log, until few enough events are left to be folded at the switch."""
    while True:
        streams, position = port.moved(progress.position, EVENTS_AT_ONCE)
        if not streams:
            return progress
        made = remaker.remake(port.histories({s: remaker.version(s) for s in streams}))
        after = replace(progress, position=position)
        port.keep(progress, after, made)
        few = position - progress.position < LAST_EVENTS_MAX
        progress = after
        told(progress, 0)
        if few:
            return progress


def checked(port: Rebuilding, remaker: Remaker, told: Told) -> Iterator[Difference]:
    """Compare only: every live row that is not what its events come to. Writes nothing."""
    progress = Progress("", "", False, 0)
    while streams := port.streams(progress.stream, STREAMS_AT_ONCE):
        for made in remaker.remake(port.histories(dict.fromkeys(streams, 0))):
            yield from made.differences
        remaker.forget(streams)
        progress = replace(progress, stream=streams[-1])
        told(progress, len(streams))
