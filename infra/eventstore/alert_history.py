"""Every alert transition of one patient, without reading those of the others."""

from __future__ import annotations

from typing import Final

from infra.eventstore.memory import MemoryStore
from infra.eventstore.sqlite_rows import transition
from infra.eventstore.transparency import open_transaction
from projections.ports import Store, TransitionRow

PAGE: Final = 2_000

_OF_STREAM: Final = (
    "SELECT position, stream_id, practice_id, patient_id, alert_id, month, type, code, unit, "
    "transition, raised, recorded_at_us, body, suppressed FROM transitions "
    "WHERE alert_id IN (SELECT alert_id FROM alert_state WHERE stream_id = ?) ORDER BY position"
)


def transitions_of(store: Store, stream_id: str) -> list[TransitionRow]:
    """The patient's transitions of all months, oldest first, told or not told to anybody."""
    if isinstance(store, MemoryStore):
        return [row for row in _all(store) if row.stream_id == stream_id]
    transaction, mark = open_transaction(store)
    with transaction(False) as c:
        c.execute(_OF_STREAM.replace("?", mark), (stream_id,))
        return [transition(row) for row in c.fetchall()]


def _all(store: Store) -> list[TransitionRow]:
    rows: list[TransitionRow] = []
    while page := store.transitions(rows[-1].position if rows else 0, PAGE):
        rows += page
    return rows
