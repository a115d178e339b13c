"""The queue's list: heaps of letters alike, or the letters themselves, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlencode

from infra.eventstore.letters import open_letters
from projections.letters import DeadLetter
from services.bootstrap import Parts
from services.pages.place import Place
from services.pages.queue.heaps import (
    Filter,
    Heap,
    Heaps,
    Waiting,
    ids_after,
    mark_of,
    may_see,
    source_of,
)
from services.views.letters import practice_of_letter

FIRST_ROWS: Final = 5
"""Of each reason, while all are shown."""
PAGE_ROWS: Final = 50
LOOKED_MAX: Final = 2_000
"""Letters that were done with, looked at for one page."""
KINDS: Final = ("dead", "review", "conflict")
ID_MAX: Final = 2**63 - 1


class Row(NamedTuple):
    """A letter of the list; `alike` are those of its reason and source that wait, with itself."""

    letter: DeadLetter
    source: str
    alike: int
    is_ours: bool
    """Whether it names the practice; else it names none, or one without patients."""


class Group(NamedTuple):
    """What waits for one reason: all of it by source, and the oldest."""

    reason: str
    is_review: bool
    size: int
    sources: Sequence[tuple[str, str, int]]
    """Source, its mark and how many, the most first."""
    rows: Sequence[Row]


class Choice(NamedTuple):
    """Something to filter by: what the address has, what people read, how many."""

    value: str
    label: str
    size: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    filter: Filter
    is_done: bool
    after: int

    @property
    def is_flat(self) -> bool:
        """Whether letters are listed, rather than a few of each reason."""
        return bool(self.is_done or self.filter.reason or self.filter.source)

    @property
    def has_conflicts(self) -> bool:
        """Whether conflicts are shown beside."""
        return not self.is_flat and self.filter.kind in ("", "conflict")


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page shows. `more` is the query of the next page, empty after the last."""

    dead: int
    reviews: int
    groups: Sequence[Group]
    rows: Sequence[Row]
    reasons: Sequence[Choice]
    sources: Sequence[Choice]
    more: str


def asked_of(query: Mapping[str, str]) -> Asked:
    """What is no filter of ours is none."""
    kind, after = query.get("kind", ""), query.get("after", "")
    return Asked(
        Filter(
            kind if kind in KINDS else "",
            query.get("reason", "")[:60],
            query.get("source", "")[:12],
        ),
        query.get("state") == "done",
        int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
    )


def listing_of(parts: Parts, waiting: Waiting, place: Place, asked: Asked) -> Listing:
    """The list as somebody sees it now."""
    heaps = waiting.heaps(place)
    chosen = {heap: ids for heap, ids in heaps.items() if asked.filter.has(heap)}
    groups: Sequence[Group] = ()
    rows: Sequence[Row] = ()
    more = ""
    if asked.is_done:
        rows, more = _done(parts, place, asked)
    elif asked.is_flat:
        rows, more = _open(parts, place, asked, chosen)
    else:
        groups = _groups(parts, place, chosen)
    return Listing(
        dead=sum(len(ids) for heap, ids in heaps.items() if not heap.is_review),
        reviews=sum(len(ids) for heap, ids in heaps.items() if heap.is_review),
        groups=groups,
        rows=rows,
        reasons=_choices((heap.reason, heap.reason, len(ids)) for heap, ids in heaps.items()),
        sources=_choices(
            (mark_of(heap.source), heap.source, len(ids)) for heap, ids in heaps.items()
        ),
        more=more,
    )


def query_of(asked: Asked, **changed: str | int) -> str:
    """The address's query with something changed; what is empty is left out."""
    known: dict[str, str | int] = {
        "kind": asked.filter.kind,
        "reason": asked.filter.reason,
        "source": asked.filter.source,
        "state": "done" if asked.is_done else "",
    }
    return urlencode({name: value for name, value in {**known, **changed}.items() if value})


def _groups(parts: Parts, place: Place, heaps: Heaps) -> list[Group]:
    """By reason, the largest first."""
    by_reason: dict[str, dict[Heap, Sequence[int]]] = {}
    for heap, ids in heaps.items():
        by_reason.setdefault(heap.reason, {})[heap] = ids
    found = []
    for reason, of_reason in by_reason.items():
        ids = ids_after(of_reason.values(), 0, FIRST_ROWS)
        sources = _choices(
            (mark_of(heap.source), heap.source, len(ids)) for heap, ids in of_reason.items()
        )
        found.append(
            Group(
                reason,
                next(iter(of_reason)).is_review,
                sum(map(len, of_reason.values())),
                [(one.label, one.value, one.size) for one in sources],
                _rows(parts, place, ids, heaps),
            )
        )
    return sorted(found, key=lambda group: (-group.size, group.reason))


def _open(parts: Parts, place: Place, asked: Asked, heaps: Heaps) -> tuple[list[Row], str]:
    ids = ids_after(heaps.values(), asked.after, PAGE_ROWS + 1)
    shown = ids[:PAGE_ROWS]
    more = query_of(asked, after=shown[-1]) if len(ids) > PAGE_ROWS else ""
    return _rows(parts, place, shown, heaps), more


def _rows(parts: Parts, place: Place, ids: Sequence[int], heaps: Heaps) -> list[Row]:
    alike: dict[tuple[str, str], int] = {}
    for heap, of_heap in heaps.items():
        kind = (heap.reason, heap.source)
        alike[kind] = alike.get(kind, 0) + len(of_heap)
    found = []
    for letter in open_letters(parts.store).whole(ids):
        source = source_of(letter.origin)
        ours = practice_of_letter(letter, parts) == place.practice
        found.append(Row(letter, source, alike.get((letter.reason, source), 1), ours))
    return found


def _done(parts: Parts, place: Place, asked: Asked) -> tuple[list[Row], str]:
    """What was taken or set aside, the newest first; a page may be short and not the last."""
    letters, before = open_letters(parts.store), asked.after or ID_MAX
    found: list[Row] = []
    for _ in range(LOOKED_MAX // PAGE_ROWS):
        page = letters.done(before, PAGE_ROWS)
        for letter in page:
            before = letter.id
            practice = practice_of_letter(letter, parts)
            heap = Heap(practice, letter.reason, source_of(letter.origin))
            if may_see(place, practice) and asked.filter.has(heap):
                found.append(Row(letter, heap.source, 0, practice == place.practice))
                if len(found) == PAGE_ROWS:
                    return found, query_of(asked, after=before)
        if len(page) < PAGE_ROWS:
            return found, ""
    return found, query_of(asked, after=before)


def _choices(said: Iterable[tuple[str, str, int]]) -> list[Choice]:
    """What there is to choose, the most first."""
    found: dict[tuple[str, str], int] = {}
    for value, label, count in said:
        found[value, label] = found.get((value, label), 0) + count
    made = [Choice(value, label, count) for (value, label), count in found.items()]
    return sorted(made, key=lambda one: (-one.size, one.label))
