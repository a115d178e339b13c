"""Everything stored of patients, one after the other, in reads that do not grow with the log."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import uuid4

from infra.ahead import ahead
from infra.codec import EventRow, split_stream_id
from infra.eventstore.transparency import open_transaction
from projections.ports import AssessmentRow, Store

FETCH: Final = 2_000
TOGETHER_PATIENTS: Final = 100
TOGETHER_EVENTS: Final = 5_000
"""Of so many patients or events the live months are asked for at once: a database that is not in
this process is waited for each time."""
AHEAD: Final = 2
"""So many times so much is read before it is asked for."""

MOVED: Final = (
    "stream_id",
    "practice_id",
    "patient_id",
    "alert_id",
    "month",
    "type",
    "code",
    "unit",
    "transition",
    "raised",
    "recorded_at_us",
    "body",
    "suppressed",
)
"""What a stored transition says, in the order of its row here."""

MovedRow = tuple[Any, ...]
"""A transition as the columns of `MOVED`: it is compared, never made into objects."""

_stream = itemgetter(0)

_TRANSITIONS: Final = (
    f"SELECT {', '.join(MOVED)} FROM transitions WHERE {{}} ORDER BY stream_id, position"
)
# CROSS JOIN: SQLite keeps the order, so each patient's months are found through the index.
LIVE_MONTHS: Final = (
    "WITH wanted (practice, patient) AS (VALUES {}) "
    "SELECT stream_id, practice_id, patient_id, month, status, body "
    "FROM wanted CROSS JOIN assessments WHERE practice_id = practice AND patient_id = patient"
)


@dataclass(frozen=True, slots=True)
class Range:
    """Streams beyond `after` up to and with `through` (None: to the end), in order of their ids."""

    after: str
    through: str | None


@dataclass(frozen=True, slots=True)
class StoredPatient:
    """A patient's events, live months and transitions, of one moment."""

    stream_id: str
    events: list[EventRow]
    live: list[AssessmentRow]
    transitions: list[MovedRow]


class PatientByPatient:
    """Reads the log of a database by patient instead of by position."""

    def __init__(self, store: Store) -> None:
        self._transaction, self._mark = open_transaction(store)

    def ranges(self, wanted: int) -> list[Range]:
        """All streams in about `wanted` ranges of as many patients each."""
        with self._transaction(False) as c:
            c.execute("SELECT count(*) FROM patients")
            patients = int(c.fetchone()[0])
            query = self._sql("SELECT stream_id FROM patients ORDER BY stream_id LIMIT 1 OFFSET ?")
            ends: list[str] = []
            for number in range(1, wanted):
                c.execute(query, (number * patients // wanted,))
                row = c.fetchone()
                if row and row[0] not in ends:
                    ends.append(row[0])
        return [
            Range(after, through) for after, through in zip(["", *ends], [*ends, None], strict=True)
        ]

    def patients(self, part: Range) -> Iterator[StoredPatient]:
        """Every stream of the range of which anything is stored, in order, in one read. A server
        is read ahead of who works on them."""
        some = self._some(part)
        for patients in some if self._mark == "?" else ahead(some, AHEAD):
            yield from patients

    def _some(self, part: Range) -> Generator[list[StoredPatient], None, None]:
        with self._transaction(False) as c:
            connection: Any = c.connection  # type: ignore[attr-defined]
            with (
                self._streaming(connection, *self._events(part)) as events,
                self._streaming(connection, *self._moves(part)) as moves,
            ):
                yield from self._merged(c, events, moves)

    def _merged(
        self, c: Any, events: Any, moves: Any
    ) -> Generator[list[StoredPatient], None, None]:
        """What both tell of each patient, with the live months, which are read for several."""
        some: list[StoredPatient] = []
        held = 0
        for patient in _told(events, moves):
            some.append(patient)
            held += len(patient.events)
            if len(some) == TOGETHER_PATIENTS or held >= TOGETHER_EVENTS:
                yield self._with_live(c, some)
                some, held = [], 0
        if some:
            yield self._with_live(c, some)

    def _with_live(self, c: Any, some: list[StoredPatient]) -> list[StoredPatient]:
        by_address = {split_stream_id(patient.stream_id): patient for patient in some}
        query = LIVE_MONTHS.format(", ".join(["(?, ?)"] * len(some)))
        self._execute(c, query, [part for address in by_address for part in address])
        for r in c.fetchall():
            row = AssessmentRow(r[0], r[1], r[2], r[3], r[4], bytes(r[5]))
            by_address[row.practice_id, row.patient_id].live.append(row)
        return some

    def without_events(self) -> list[tuple[str, str]]:
        """Live months of streams that have no event: stream and month."""
        query = (
            "SELECT stream_id, month FROM assessments a WHERE NOT EXISTS "
            "(SELECT 1 FROM stored_events WHERE originator_id = a.stream_id) ORDER BY 1, 2"
        )
        with self._transaction(False) as c:
            c.execute(query)
            return [(row[0], row[1]) for row in c.fetchall()]

    def _events(self, part: Range) -> tuple[str, tuple[str, ...]]:
        where, values = _where("originator_id", part)
        query = (
            "SELECT originator_id, originator_version, topic, state "
            f"FROM stored_events WHERE {where} "
            "ORDER BY originator_id, originator_version"
        )
        return query, values

    def _moves(self, part: Range) -> tuple[str, tuple[str, ...]]:
        where, values = _where("stream_id", part)
        return _TRANSITIONS.format(where), values

    @contextmanager
    def _streaming(self, connection: Any, query: str, values: tuple[str, ...]) -> Iterator[Any]:
        """Rows as they are read, never all at once."""
        if self._mark == "?":
            with closing(connection.cursor()) as rows:
                rows.row_factory = None
                yield rows.execute(query, values)
            return
        from psycopg.rows import tuple_row

        with connection.cursor(uuid4().hex, row_factory=tuple_row) as rows:
            rows.itersize = FETCH
            rows.execute(self._sql(query).encode(), values, binary=True)
            yield rows

    def _execute(self, c: Any, query: str, values: Sequence[str]) -> None:
        if self._mark == "?":
            c.execute(query, values)
        else:
            c.execute(self._sql(query).encode(), values, binary=True)

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._mark)


def _told(events: Any, moves: Any) -> Iterator[StoredPatient]:
    """Patients of whom there are events or transitions, both given in order of their streams."""
    by_event, by_move = groupby(events, key=_stream), groupby(moves, key=_stream)
    told, moved = next(by_event, None), next(by_move, None)
    while told or moved:
        stream = min(group[0] for group in (told, moved) if group)
        stored = StoredPatient(stream, [], [], [])
        if told and told[0] == stream:
            stored.events.extend(told[1])
            told = next(by_event, None)
        if moved and moved[0] == stream:
            stored.transitions.extend(moved[1])
            moved = next(by_move, None)
        yield stored


def _where(column: str, part: Range) -> tuple[str, tuple[str, ...]]:
    if part.through is None:
        return f"{column} > ?", (part.after,)
    return f"{column} > ? AND {column} <= ?", (part.after, part.through)
