"""Alert transitions page by page, in the order of their positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from projections.ports import Store, TransitionRow

CHUNK: Final = 2_000
ROWS_MAX: Final = 20_000
"""Transitions that are looked at for one page."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which transitions are asked for. None is any; `practices` are those that may be seen;
    `state` is raised or resolved."""

    practices: frozenset[str] | None = None
    patient: str | None = None
    month: str | None = None
    type: str | None = None
    code: str | None = None
    state: str | None = None

    def has(self, row: TransitionRow) -> bool:
        state = row.state
        return (
            (self.practices is None or row.practice_id in self.practices)
            and self.patient in (None, row.patient_id)
            and self.month in (None, state.month)
            and self.type in (None, state.type)
            and self.code in (None, state.code)
            and self.state in (None, "raised" if state.raised else "resolved")
        )


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the position after which the next page begins, None where there is no more now."""

    items: list[TransitionRow]
    next: int | None


def alerts_page(store: Store, chosen: Chosen, after: int, limit: int) -> Page:
    """At most `limit` transitions beyond a position; a page may be short and not the last."""
    items: list[TransitionRow] = []
    last = after
    for looked, row in enumerate(_rows(store, after), 1):
        if chosen.has(row):
            if len(items) == limit:
                return Page(items, last)
            items.append(row)
        last = row.position
        if looked == ROWS_MAX:
            return Page(items, last)
    return Page(items, None)


def _rows(store: Store, after: int) -> Iterator[TransitionRow]:
    while page := store.transitions(after, CHUNK):
        yield from page
        after = page[-1].position
