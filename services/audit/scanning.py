"""One pass over the log in order of position: chains, leaves, roots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from infra.eventstore.transparency import LogTree
from infra.transparency import Checkpoint, GrowingTree, event_leaf, root_hash
from projections.ports import Store, StoredEvent
from services.audit.chains import Chains
from services.audit.faults import Fault, FaultKind, Findings

PAGE_EVENTS: Final = 4_096
GAP_MAX: Final = 1_000
"""Of a wider gap only the first positions are named."""

Moved = Callable[[int], None]
"""Hears how many events were looked at."""

Sourced = tuple[str, Checkpoint]
"""A checkpoint and where it came from, for people."""


class Scan:
    """Looks at every event once, and at the root hash at every checkpoint's size."""

    def __init__(
        self, store: Store, tree: LogTree, findings: Findings, checkpoints: Sequence[Sourced]
    ) -> None:
        """`checkpoints` are those that can be believed, by size."""
        self._store, self._tree, self._findings = store, tree, findings
        self._ahead = list(checkpoints)[::-1]
        self._growing = GrowingTree()
        self._whole = True
        """Whether no event was missing so far: a root over others would mean nothing."""
        self._proven = 0
        """The size of the greatest checkpoint that holds."""
        self._differing: list[StoredEvent] = []
        """Events that are not what the tree has kept of them."""

    def run(self, moved: Moved) -> None:
        """Look at the log as it is now; what is written meanwhile is left out."""
        ends, sealed, head = self._tree.ends(), self._tree.size(), self._store.head()
        chains = Chains(self._findings)
        self._reach(sealed)
        for page in self._pages(head):
            kept = self._kept(page)
            for event in page:
                chains.follow(event)
                self._take(event, kept.get(event.position))
                self._reach(sealed)
            self._findings.events += len(page)
            moved(self._findings.events)
        chains.finish(ends, self._tree.ends())
        self._name_differing()
        self._finish(head)

    def _pages(self, head: int) -> Iterator[list[StoredEvent]]:
        """The log up to `head`, with a finding for whatever is missing or cannot be read."""
        position, limit = 0, PAGE_EVENTS
        while position < head:
            try:
                page = [e for e in self._store.log(position, limit) if e.position <= head]
            except Exception:
                if limit > 1:
                    limit //= 8
                    continue
                self._lost(position + 1, FaultKind.UNREADABLE, "its row cannot be read")
                position, limit = position + 1, PAGE_EVENTS
                continue
            if not page:
                self._lost(position + 1, FaultKind.MISSING, "nothing is there")
                return
            for event in page:
                for gap in range(position + 1, min(event.position, position + GAP_MAX)):
                    self._lost(gap, FaultKind.MISSING, "no event has this position")
                position = event.position
            yield page

    def _lost(self, position: int, kind: FaultKind, sentence: str) -> None:
        self._whole = False
        self._findings.add(Fault(kind, sentence, position=position))

    def _kept(self, page: Sequence[StoredEvent]) -> dict[int, bytes]:
        """Leaf hashes of these events as the tree has them, by position."""
        first, last = page[0].position, page[-1].position
        return dict(enumerate(self._tree.leaves(first - 1, last - first + 1), first))

    def _take(self, event: StoredEvent, kept: bytes | None) -> None:
        leaf = event_leaf(event)
        if kept is not None and kept != leaf:
            self._differing.append(event)
        self._growing.append(leaf)

    def _reach(self, sealed: int) -> None:
        """Compare the root with the checkpoints of this size, and the kept tree at its own."""
        size = self._growing.size
        while self._whole and self._ahead and self._ahead[-1][1].size == size:
            source, checkpoint = self._ahead.pop()
            if checkpoint.root == self._growing.root():
                self._proven = size
                continue
            sentence = f"{source}: the first {size} events have another root hash"
            if self._proven:
                sentence += f"; the first {self._proven} are those of an earlier checkpoint"
            self._findings.add(Fault(FaultKind.CHECKPOINT, sentence))
        if self._whole and size == sealed and not self._differing:
            self._compare_tree(sealed)

    def _compare_tree(self, sealed: int) -> None:
        try:
            root = root_hash(sealed, self._tree.subtrees())
        except LookupError:
            root = b""
        if root != self._growing.root():
            sentence = "the kept hashes of the tree do not come to the root of the events"
            self._findings.add(Fault(FaultKind.TREE, sentence))

    def _name_differing(self) -> None:
        for event in self._differing:
            if event.position <= self._proven:
                kind = FaultKind.TREE
                sentence = "its kept hash is damaged; a checkpoint says that the event is right"
            else:
                kind, sentence = FaultKind.CHANGED, "it is not what was sealed"
            place = (event.stream_id, event.version, event.position)
            self._findings.add(Fault(kind, sentence, *place))

    def _finish(self, head: int) -> None:
        for source, checkpoint in reversed(self._ahead):
            if checkpoint.size > head:
                sentence = f"{source}: it has {checkpoint.size} events, the log ends at {head}"
                self._findings.add(Fault(FaultKind.CUT_OFF, sentence, position=head + 1))
            else:
                sentence = f"{source}: its {checkpoint.size} events are not all there"
                self._findings.add(Fault(FaultKind.CHECKPOINT, sentence))
