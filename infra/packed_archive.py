"""The archive of a long history: time events in packed bundles, found through two small indexes.

Entries that may touch the same months lie in one bundle, so a month that nobody asks for is never
unpacked. The indexes hold 32 bits of a hash and the number of a bundle: they say where to look,
never what is there, so two ids of one hash cost an unpacking and change nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from zlib import crc32

import msgspec

from domain.entries import Entry
from domain.event import Event, EventKey
from domain.facts import Month
from infra.packing import pack_time, unpack_time

_BUNDLE_BITS = 32
_BUNDLE_MASK = (1 << _BUNDLE_BITS) - 1


class Bundle(msgspec.Struct, array_like=True, gc=False):
    """All events of the entries that may touch exactly these months (none: never logged)."""

    months: tuple[Month, ...]
    packed: bytes


class Index:
    """From the hash of a text to numbers of bundles; eight bytes a text, kept sorted."""

    __slots__ = ("_rows",)

    def __init__(self, rows: array[int]) -> None:
        self._rows = rows

    @classmethod
    def empty(cls) -> Index:
        return cls(array("Q"))

    @classmethod
    def from_bytes(cls, packed: bytes) -> Index:
        rows = array("Q")
        rows.frombytes(packed)
        return cls(rows)

    def to_bytes(self) -> bytes:
        return self._rows.tobytes()

    def bundles(self, hash: int) -> list[int]:
        """Numbers of the bundles in which a text of this hash may lie."""
        rows, found = self._rows, []
        place = bisect_left(rows, hash << _BUNDLE_BITS)
        while place < len(rows) and rows[place] >> _BUNDLE_BITS == hash:
            found.append(rows[place] & _BUNDLE_MASK)
            place += 1
        return found

    def changed(self, gone: Collection[int], new: Iterable[tuple[int, int]]) -> Index:
        """Without the bundles that are gone, with new pairs of hash and bundle number."""
        rows = [row for row in self._rows if row & _BUNDLE_MASK not in gone]
        rows += sorted({hash << _BUNDLE_BITS | bundle for hash, bundle in new})
        rows.sort()  # two ascending runs: a merge
        return Index(array("Q", rows))


def hash_of_key(key: EventKey) -> int:
    source, id = key
    return crc32(f"{len(source)}:{source}{id}".encode())


def hash_of_entry(entry_id: str) -> int:
    return crc32(entry_id.encode())


class PackedArchive:
    """`domain.archive.Archive` of one patient."""

    __slots__ = ("_address", "_bundles", "_entries", "_keys", "_of_month", "months")

    def __init__(
        self,
        address: tuple[str, str],
        bundles: Sequence[Bundle | None],
        keys: Index,
        entries: Index,
    ) -> None:
        """`address` is practice and patient; `keys` and `entries` give places among the bundles,
        some of which may be empty."""
        self._address = address
        self._bundles: list[Bundle | None] = list(bundles)
        self._keys = keys
        self._entries = entries
        self._of_month: dict[Month, list[int]] = {}
        for number, bundle in enumerate(bundles):
            for month in bundle.months if bundle is not None else ():
                self._of_month.setdefault(month, []).append(number)
        self.months = frozenset(self._of_month)

    @classmethod
    def empty(cls, address: tuple[str, str]) -> PackedArchive:
        return cls(address, (), Index.empty(), Index.empty())

    @property
    def bundles(self) -> Sequence[Bundle | None]:
        """The bundles by number; None where one was taken out."""
        return self._bundles

    @property
    def indexes(self) -> tuple[Index, Index]:
        """By event key and by entry id."""
        return self._keys, self._entries

    def take_month(self, month: Month) -> list[tuple[str, Event]]:
        return self._take(self._of_month.pop(month, ()))

    def take_entry(self, entry_id: str) -> list[tuple[str, Event]]:
        return self._take(self._entries.bundles(hash_of_entry(entry_id)))

    def take_event(self, key: EventKey) -> list[tuple[str, Event]]:
        return self._take(self._keys.bundles(hash_of_key(key)))

    def _take(self, numbers: Iterable[int]) -> list[tuple[str, Event]]:
        events: list[tuple[str, Event]] = []
        for number in numbers:
            bundle, self._bundles[number] = self._bundles[number], None
            if bundle is not None:
                events += unpack_time(bundle.packed, *self._address)
        return events

    def with_entries(self, entries: Iterable[Entry]) -> PackedArchive:
        """A new archive of what nobody took out, as it lies, and of these entries.

        What was taken out comes back only as part of `entries`.
        """
        bundles = list(self._bundles)
        free = [number for number, bundle in enumerate(bundles) if bundle is None]
        gone = frozenset(free)
        keys: list[tuple[int, int]] = []
        names: list[tuple[int, int]] = []
        for months, group in _by_months(entries).items():
            if not free:
                free.append(len(bundles))
                bundles.append(None)
            number = free.pop()
            events = [event for entry in group for event in entry.revisions]
            bundles[number] = Bundle(months, pack_time(events))
            keys += [(hash_of_key(event.key), number) for event in events]
            names += [(hash_of_entry(entry.entry_id), number) for entry in group]
        return PackedArchive(
            self._address,
            bundles,
            self._keys.changed(gone, keys),
            self._entries.changed(gone, names),
        )


def _by_months(entries: Iterable[Entry]) -> dict[tuple[Month, ...], list[Entry]]:
    groups: dict[tuple[Month, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(sorted(entry.months)), []).append(entry)
    return groups
