"""What may be delivered: the one way from stored transitions to any sink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from infra.codec import utc_text
from projections.ports import Store, TransitionRow

SPAN_MAX = 500
"""The most transitions read at once for a few that are wanted among them."""


class Page(NamedTuple):
    """The deliverable transitions among those that were read, and how far it was read."""

    rows: Sequence[TransitionRow]
    through: int


def deliverable(store: Store, after: int, limit: int) -> Page:
    """Read on after a position. `through` is `after` when there is nothing more.

    No sink reads transitions any other way: what must stay silent is passed over here alone.
    """
    rows = store.transitions(after, limit)
    return Page([row for row in rows if is_deliverable(row)], rows[-1].position if rows else after)


def is_deliverable(row: TransitionRow) -> bool:
    """Whether a sink may ever hear of it."""
    return row.suppressed is None


def rows_at(store: Store, positions: Sequence[int]) -> dict[int, TransitionRow]:
    """The deliverable ones of the transitions at these positions, ascending."""
    found: dict[int, TransitionRow] = {}
    wanted = set(positions)
    for first, last in _spans(sorted(wanted)):
        page = deliverable(store, first - 1, last - first + 1)
        found.update((row.position, row) for row in page.rows if row.position in wanted)
    return found


def _spans(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches of the log that hold all of these positions in few reads."""
    first = last = None
    for position in positions:
        if first is None or last is None:
            first = last = position
        elif position - last <= SPAN_MAX // 10 and position - first < SPAN_MAX:
            last = position
        else:
            yield first, last
            first = last = position
    if first is not None and last is not None:
        yield first, last


def event_id(row: TransitionRow) -> str:
    """The id under which every sink sends this transition, however often."""
    return f"{row.state.alert_id}.{row.state.transition}"


def event_type(row: TransitionRow) -> str:
    return f"{row.state.type}.v1"


def message(row: TransitionRow) -> bytes:
    """The transition as webhooks and streams carry it: opaque ids, codes, numbers; equal bytes
    every time."""
    return msgspec.json.encode(
        {
            "id": event_id(row),
            "type": event_type(row),
            "timestamp": utc_text(row.recorded_at_us),
            "data": msgspec.Raw(row.body),
        }
    )
