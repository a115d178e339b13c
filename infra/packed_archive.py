"""The archive of a long history: time events in packed bundles, found through small indexes.

Entries that may touch the same months lie in one bundle, so a month that nobody asks for is never
unpacked. A number stands for one bundle as long as any part names it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from domain.entries import Entry
from domain.event import Event, EventKey
from domain.facts import Month
from infra.archive_parts import (
    Bundle,
    Index,
    Part,
    hash_of_entry,
    hash_of_key,
    make_part,
    row,
    rows_of,
    staying,
)
from infra.packing import pack_time, unpack_time


class PackedArchive:
    """`domain.archive.Archive` of one patient."""

    __slots__ = ("_address", "_bundles", "_entries", "_keys", "_of_month", "months", "parts")

    def __init__(
        self,
        address: tuple[str, str],
        parts: Sequence[Part],
        bundles: Mapping[int, Bundle],
        indexes: tuple[Index, Index] | None = None,
    ) -> None:
        """`address` is practice and patient; `bundles` are those of the parts that are not gone;
        `indexes` those of the parts, by event key and by entry id, where they are at hand."""
        self._address = address
        self.parts = tuple(parts)
        self._keys, self._entries = indexes or map(Index, _rows(parts))
        self._bundles = dict(bundles)
        self._of_month: dict[Month, list[int]] = {}
        for number, bundle in bundles.items():
            for month in bundle.months:
                self._of_month.setdefault(month, []).append(number)
        self.months = frozenset(self._of_month)

    @classmethod
    def empty(cls, address: tuple[str, str]) -> PackedArchive:
        return cls(address, (), {})

    @property
    def bundles(self) -> Mapping[int, Bundle]:
        """The bundles that nobody took out, by number."""
        return self._bundles

    @property
    def gone(self) -> list[int]:
        """Numbers of bundles that lie in parts and no longer count."""
        return [n for part in self.parts for n in part.numbers if n not in self._bundles]

    def take_month(self, month: Month) -> list[tuple[str, Event]]:
        return self._take(self._of_month.pop(month, ()))

    def take_entry(self, entry_id: str) -> list[tuple[str, Event]]:
        return self._take(self._entries.bundles(hash_of_entry(entry_id)))

    def take_event(self, key: EventKey) -> list[tuple[str, Event]]:
        return self._take(self._keys.bundles(hash_of_key(key)))

    def _take(self, numbers: Iterable[int]) -> list[tuple[str, Event]]:
        events: list[tuple[str, Event]] = []
        for number in numbers:
            bundle = self._bundles.pop(number, None)
            if bundle is not None:
                events += unpack_time(bundle.packed, *self._address)
        return events

    def with_entries(self, entries: Iterable[Entry]) -> tuple[PackedArchive, dict[bytes, bytes]]:
        """A new archive of what nobody took out, and of these entries; and the bytes, by name, of
        what must be stored for it that this one has not.

        What was taken out comes back only as part of `entries`.
        """
        new, keys, names = self._bundled(entries)
        held = self._bundles
        stay = staying(self.parts, held, sum(len(bundle.packed) for bundle in new.values()))
        parts, merged = list(self.parts[:stay]), self.parts[stay:]
        bundles = {n: held[n] for part in merged for n in part.numbers if n in held} | new
        made: dict[bytes, bytes] = {}
        if bundles:
            all_keys = chain(keys, *(rows_of(part.keys, bundles) for part in merged))
            all_names = chain(names, *(rows_of(part.entries, bundles) for part in merged))
            part, body = make_part(bundles, all_keys, all_names)
            parts.append(part)
            made[part.name] = body
        by_key, by_entry = _rows(parts)
        indexes = self._keys.moved_on(by_key, keys), self._entries.moved_on(by_entry, names)
        return PackedArchive(self._address, parts, held | new, indexes), made

    def _bundled(self, entries: Iterable[Entry]) -> tuple[dict[int, Bundle], list[int], list[int]]:
        """Bundles of the entries by their new numbers, and rows by event key and by entry id."""
        number = max((n for part in self.parts for n in part.numbers), default=-1)
        bundles: dict[int, Bundle] = {}
        keys: list[int] = []
        names: list[int] = []
        for months, group in _by_months(entries).items():
            number += 1
            events = [event for entry in group for event in entry.revisions]
            bundles[number] = Bundle(months, pack_time(events))
            keys += [row(hash_of_key(event.key), number) for event in events]
            names += [row(hash_of_entry(entry.entry_id), number) for entry in group]
        return bundles, keys, names


def _rows(parts: Sequence[Part]) -> tuple[list[array[int]], list[array[int]]]:
    """By event key and by entry id."""
    return [part.keys for part in parts], [part.entries for part in parts]


def _by_months(entries: Iterable[Entry]) -> dict[tuple[Month, ...], list[Entry]]:
    groups: dict[tuple[Month, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(tuple(sorted(entry.months)), []).append(entry)
    return groups
