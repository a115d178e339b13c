"""What the projections read on PostgreSQL: however much is looked for, one question and answer.

A batch of five hundred events asks for as many stretches: one by one they are a second of talk with
a server, in which a projection cannot keep up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from infra.codec import split_stream_id
from infra.eventstore.projected import ROW, SqlProjected, projected_row
from infra.eventstore.sqlite_rows import alert
from projections.ports import AlertState, AssessmentRow, ProjectedRow
from projections.projected import Stretch


class PostgresProjected(SqlProjected):
    """`projections.projected.Projected`; the wanted go along as arrays.

    A subquery with OFFSET 0 is looked up in the index for each of them: without it a planner that
    knows nothing of a young table yet reads the whole of it for every batch.
    """

    def rows(
        self, table: str, generation: int, stretches: Collection[Stretch]
    ) -> list[ProjectedRow]:
        found = self._found(
            f"SELECT DISTINCT p.* FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) "
            f"AS wanted (part, first, last), LATERAL (SELECT {ROW} FROM projected "
            "WHERE table_name = %s AND generation = %s AND projected.part = wanted.part "
            "AND at BETWEEN wanted.first AND wanted.last OFFSET 0) AS p",
            (*_columns(stretches, 3), table, generation),
        )
        return sorted(map(projected_row, found), key=lambda row: (row.part, row.at, row.key))

    def standings(self, alerts: Collection[tuple[str, str]]) -> dict[str, AlertState]:
        found = self._found(
            "SELECT a.* FROM unnest(%s::text[], %s::text[]) AS wanted (stream, alert), "
            "LATERAL (SELECT alert_id, month, type, code, unit, transition, raised, silent "
            "FROM alert_state WHERE stream_id = wanted.stream AND alert_id = wanted.alert "
            "OFFSET 0) AS a",
            _columns(alerts, 2),
        )
        return {row[0]: alert(row) for row in found}

    def answers(self, stream_ids: Sequence[str]) -> list[AssessmentRow]:
        found = self._found(
            "SELECT a.* FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY "
            "AS wanted (practice, patient, place), LATERAL (SELECT stream_id, practice_id, "
            "patient_id, month, status, body FROM assessments WHERE practice_id = wanted.practice "
            "AND patient_id = wanted.patient OFFSET 0) AS a ORDER BY wanted.place, a.month",
            _columns([split_stream_id(stream_id) for stream_id in stream_ids], 2),
        )
        return [AssessmentRow(*row) for row in found]

    def _found(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self._transaction(False) as c:
            c.execute(statement, values)
            return c.fetchall()


def _columns(rows: Collection[Sequence[Any]], width: int) -> list[list[Any]]:
    """The rows' columns; as many empty ones where there is no row."""
    return [[row[number] for row in rows] for number in range(width)]
