"""A projection made anew from the log beside its live generation, then put in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from projections.ports import Batch, PositionPassed, Store
from projections.projected import Projected, making_mark, place, pointer
from projections.rebuilding import RebuildTaken
from services.projecting.following import Projection, live_generation, step

EVENTS_AT_ONCE: Final = 1_000
COMPARISONS_MAX: Final = 20
"""After so many switches that the live one forestalled, it is done without comparing."""


@dataclass(frozen=True, slots=True)
class Remade:
    """How a projection came out; `differing` rows were not the same in the live generation (None:
    it moved too fast to be compared)."""

    name: str
    differing: int | None


def remake(
    store: Store,
    projected: Projected,
    projection: Projection,
    making: str,
    told: Callable[[int], None] = lambda _position: None,
) -> Remade | None:
    """Make the projection anew up to where the live one is, compare, switch.

    None where it never ran: nothing is stale then. Killed and run again, it goes on. It stores no
    transition. Raises RebuildTaken when another process does the same.
    """
    live = live_generation(store, projection)
    if store.tracking(place(projection.name, live)) is None:
        return None
    generation = _begun(store, projection, live, making)
    for attempt in range(10 * COMPARISONS_MAX):
        through = store.tracking(place(projection.name, live)) or 0
        _follow(store, projection, generation, through, told)
        differing = None
        if attempt < COMPARISONS_MAX:
            differing = projected.differing(projection.tables, live, generation)
        if _switched(store, projection, live, generation, through):
            projected.drop(projection.tables, generation)
            return Remade(projection.name, differing)
        if live_generation(store, projection) != live:
            raise RebuildTaken(f"another process has rebuilt {projection.name}")
    raise RebuildTaken(f"{projection.name} moves too fast to be replaced; run this again")


def _begun(store: Store, projection: Projection, live: int, making: str) -> int:
    """The generation to make: one that was begun by the same making, else a new one."""
    generation = live + 1
    while store.tracking(making_mark(projection.name, generation, making)) is None:
        if store.tracking(place(projection.name, generation)) is None:
            mark = making_mark(projection.name, generation, making)
            store.commit(Batch(tracking={mark: 1, place(projection.name, generation): 0}))
            return generation
        generation += 1
    return generation


def _follow(
    store: Store,
    projection: Projection,
    generation: int,
    through: int,
    told: Callable[[int], None],
) -> None:
    try:
        while step(store, projection, generation, EVENTS_AT_ONCE, through):
            told(store.tracking(place(projection.name, generation)) or 0)
    except PositionPassed as error:
        raise RebuildTaken(f"another process rebuilds {projection.name}") from error


def _switched(
    store: Store, projection: Projection, live: int, generation: int, through: int
) -> bool:
    """Make the generation the live one, if both are at the same place in the log."""
    expected = {
        pointer(projection.name): live,
        place(projection.name, live): through,
        place(projection.name, generation): through,
    }
    try:
        store.commit(Batch(tracking={pointer(projection.name): generation}, expected=expected))
    except PositionPassed:
        return False
    return True
