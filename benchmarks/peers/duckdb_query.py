"""DuckDB over the file: one query for the months of everything there is, kept in a database file.

Every question reads all again; there are no transitions, and nothing is kept of the events.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from benchmarks.peers.harness import Feed, Result, Task, play

QUERY = """
CREATE TABLE months AS
WITH said AS (
  SELECT * FROM read_json($file, format = 'newline_delimited', columns = {
    id: 'VARCHAR', source: 'VARCHAR', subject: 'VARCHAR', time: 'TIMESTAMP',
    data: 'STRUCT(entry_id VARCHAR, started_at TIMESTAMP, ended_at TIMESTAMP)'})
  WHERE data.entry_id IS NOT NULL
), entries AS (
  SELECT subject, max_by(data, struct_pack(a := time, b := source, c := id)) AS data
  FROM said GROUP BY subject, data.entry_id
), sums AS (
  SELECT subject AS patient, strftime(data.started_at, '%Y-%m') AS month,
    CAST(sum(epoch(data.ended_at) - epoch(data.started_at)) AS BIGINT) AS seconds
  FROM entries WHERE data.started_at IS NOT NULL GROUP BY ALL
)
SELECT *, CAST(least(3, seconds // 1200) AS INTEGER) AS units FROM sums
"""


def prepare(task: Task) -> Callable[[Feed], None]:
    database = duckdb.connect(str(task.folder / "months.duckdb"))

    def work(_: Feed) -> None:
        database.execute(QUERY, {"file": str(task.file)})
        database.close()

    return work


def read_back(task: Task) -> Result:
    database = duckdb.connect(str(task.folder / "months.duckdb"))
    return {"months": database.execute("FROM months").fetchall(), "transitions": []}


if __name__ == "__main__":
    play(prepare, read_back)
