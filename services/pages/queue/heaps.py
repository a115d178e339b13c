"""What waits, in heaps of one practice, reason and source, without what came in it.

Kept in memory as ids alone: a feed that went wrong leaves letters by the hundred thousand. Whose
practice a letter is of is read from the letter once, for neither changes while a process lives.
"""

from __future__ import annotations

import re
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from itertools import islice
from threading import Lock
from typing import Final, NamedTuple

from domain.rejections import FOR_REVIEW
from infra.eventstore.letters import open_letters
from services.bootstrap import Parts
from services.pages.place import Place
from services.views.letters import practice_of_letter

CHUNK: Final = 2_000
WHOLE_CHUNK: Final = 100
"""Letters that are read whole at once: each may hold a mebibyte."""

KEPT_SECONDS_A_LETTER: Final = 1 / 20_000
"""How long the heaps are kept, by their size: reading them anew takes a twentieth of the time."""

FRESH_MAX: Final = 2_000
"""As few as this are read anew each time."""

_PLACE: Final = re.compile(r"(/-?\d+@-?\d+|:\d+)?(#\d+)*$")
_REVIEWS: Final = frozenset(reason.value for reason in FOR_REVIEW)


def source_of(origin: str) -> str:
    """The file, topic or door, without the place in it."""
    return _PLACE.sub("", origin, count=1)


def mark_of(source: str) -> str:
    """What stands for a source in addresses: names of files may be anybody's."""
    return sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class Heap(NamedTuple):
    """Letters alike."""

    practice: str | None
    reason: str
    source: str

    @property
    def is_review(self) -> bool:
        """Whether they say nothing against their sender."""
        return self.reason in _REVIEWS


Heaps = Mapping[Heap, Sequence[int]]
"""Ids by heap, ascending."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which heaps are asked for; empty is any. `kind` is `dead`, `review` or `conflict`
    (no heap is of that), `source` a mark."""

    kind: str = ""
    reason: str = ""
    source: str = ""

    def has(self, heap: Heap) -> bool:
        return (
            self.kind in ("", "review" if heap.is_review else "dead")
            and self.reason in ("", heap.reason)
            and (not self.source or self.source == mark_of(heap.source))
        )


def may_see(place: Place, of: str | None) -> bool:
    """Whether a letter of the practice `of` is shown at a place: its own, and to who sees every
    practice also what names none, or one that has no patient and so no pages."""
    if of == place.practice:
        return True
    return place.principal.practices is None and of not in place.practices


def ids_after(heaps: Iterable[Sequence[int]], after: int, limit: int) -> list[int]:
    """The first ids beyond `after`, of all heaps together."""
    rests = (islice(ids, bisect_right(ids, after), None) for ids in heaps)
    return list(islice(merge(*rests), limit))


class Waiting:
    """The heaps of a store, read when somebody asks. Safe for several threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._letters = parts, open_letters(parts.store)
        self._turn = Lock()
        self._ids, self._numbers = array("q"), array("l")
        """Letters that wait and whose practice is known, ascending, with the practice's number."""
        self._practices: list[str | None] = [None]
        self._heaps: dict[Heap, array[int]] = {}
        self._is_known = False
        self._kept_until = float("-inf")

    def heaps(self, place: Place) -> Heaps:
        """Those that somebody sees at a place."""
        found = self._fresh().items()
        return {heap: ids for heap, ids in found if ids and may_see(place, heap.practice)}

    def count(self, place: Place) -> int:
        """How many letters that is."""
        return sum(map(len, self.heaps(place).values()))

    def drop(self, letter_id: int) -> None:
        """A letter waits no longer: who asks next does not see it, and nothing is read anew."""
        with self._turn:
            for ids in self._heaps.values():
                place = bisect_left(ids, letter_id)
                if place < len(ids) and ids[place] == letter_id:
                    del ids[place]

    def forget(self) -> None:
        """Read anew for whoever asks next: something else was done."""
        self._kept_until = float("-inf")

    def make_ready(self) -> None:
        """Read before anybody asks."""
        self._fresh()

    def _fresh(self) -> dict[Heap, array[int]]:
        """The heaps; while somebody else reads them anew, as they were."""
        if time.monotonic() < self._kept_until:
            return self._heaps
        if not self._turn.acquire(blocking=not self._is_known):
            return self._heaps
        try:
            if time.monotonic() >= self._kept_until:
                self._heaps = self._read()
                self._is_known = True
                count = len(self._ids)
                kept = count * KEPT_SECONDS_A_LETTER if count > FRESH_MAX else 0.0
                self._kept_until = time.monotonic() + kept
            return self._heaps
        finally:
            self._turn.release()

    def _read(self) -> dict[Heap, array[int]]:
        heaps: dict[Heap, array[int]] = {}
        known, numbers = array("q"), array("l")
        after = 0
        while rows := self._letters.waiting(after, CHUNK):
            after = rows[-1].id
            ids = [row.id for row in rows]
            for row, number in zip(rows, self._numbers_of(ids), strict=True):
                heap = Heap(self._practices[number], row.reason, source_of(row.origin))
                heaps.setdefault(heap, array("q")).append(row.id)
                known.append(row.id)
                numbers.append(number)
        self._ids, self._numbers = known, numbers
        return heaps

    def _numbers_of(self, ids: Sequence[int]) -> Iterator[int]:
        """The number of each one's practice."""
        found = {}
        for id in ids:
            place = bisect_left(self._ids, id)
            if place < len(self._ids) and self._ids[place] == id:
                found[id] = self._numbers[place]
        new = [id for id in ids if id not in found]
        for start in range(0, len(new), WHOLE_CHUNK):
            for letter in self._letters.whole(new[start : start + WHOLE_CHUNK]):
                found[letter.id] = self._number(practice_of_letter(letter, self._parts))
        yield from (found[id] for id in ids)

    def _number(self, practice: str | None) -> int:
        if practice not in self._practices:
            self._practices.append(practice)
        return self._practices.index(practice)
