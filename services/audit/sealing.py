"""Sealing: the log's tree grown to its end, and a signed checkpoint over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from infra.clock import Clock
from infra.eventstore.accesses import AccessLog
from infra.eventstore.transparency import LogTree
from infra.transparency import (
    Checkpoint,
    Signer,
    checkpoint_at,
    checkpoint_of,
    event_leaf,
    root_hash,
    text_of,
)
from projections.ports import Store

EVENTS_AT_ONCE: Final = 8_192

Moved = Callable[[int], None]
"""Hears up to which position the tree was grown."""


class SealRefused(Exception):
    """The log is not what an earlier checkpoint says: a new one would hide that."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint with its note; `is_new` where something was sealed that was not before."""

    number: int
    checkpoint: Checkpoint
    note: str
    is_new: bool


def grow(store: Store, tree: LogTree, moved: Moved = lambda _position: None) -> int:
    """Bring the tree to the end of the log; its size. Raises SealRefused for a log with a gap."""
    size = tree.size()
    head = store.head()
    while size < head:
        page = [event for event in store.log(size, EVENTS_AT_ONCE) if event.position <= head]
        for place, event in enumerate(page, size + 1):
            if event.position != place:
                raise SealRefused(f"position {place} of the log is missing")
        if not page:
            raise SealRefused(f"position {size + 1} of the log is missing")
        tree.extend(size, [event_leaf(event) for event in page])
        size += len(page)
        moved(size)
    return size


def seal(
    store: Store,
    signer: Signer,
    clock: Clock,
    moved: Moved = lambda _position: None,
    published: Checkpoint | None = None,
) -> Sealed:
    """Sign and keep a checkpoint over the whole log and the access log as they are now.

    Where neither grew since the last checkpoint it is given again. Raises SealRefused where the
    log is shorter than that one, or than the one that is known to be `published`, or has another
    root at its size.
    """
    tree, accesses = LogTree(store), AccessLog(store)
    grow(store, tree, moved)
    size, end = tree.size(), accesses.end()
    last = tree.last_checkpoint()
    if published is not None:
        _check(tree, published, store.head())
    if last is not None:
        known = checkpoint_of(text_of(last.note))
        _check(tree, known, store.head())
        if (known.size, known.accesses) == (size, end.size) and known.origin == signer.name:
            return Sealed(last.number, known, last.note, False)
    root = root_hash(size, tree.subtrees())
    made = checkpoint_at(signer.name, size, root, clock(), end.size, end.head)
    kept = tree.add_checkpoint(signer.sign(made.text()))
    return Sealed(kept.number, made, kept.note, True)


def _check(tree: LogTree, known: Checkpoint, head: int) -> None:
    if head < known.size:
        raise SealRefused(f"the log ends at position {head}, its last checkpoint at {known.size}")
    try:
        root = root_hash(known.size, tree.subtrees())
    except LookupError:
        root = b""
    if root != known.root:
        raise SealRefused(f"the tree is not that of the last checkpoint, of {known.size} events")
