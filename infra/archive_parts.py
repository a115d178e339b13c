"""The parts that a long history lies in: bundles of time events, with the indexes that find them.

A part is never changed, only replaced, and is named by its content: a new snapshot writes what is
new and names the rest. It is taken together with those before it once these are no larger than
all behind them, so there are few parts and each event is written a few times, however long the
history becomes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple
from zlib import crc32

import msgspec

from domain.event import EventKey
from domain.facts import Month

_NAME_BYTES = 16
_HASH_BITS = 32
_NUMBER_BITS = 32
_NUMBER_MASK = (1 << _NUMBER_BITS) - 1
_SLOTS_A_ROW = 4
"""Bytes of the table for each row at the least: of new texts a quarter at most are looked for."""


class Bundle(msgspec.Struct, array_like=True, gc=False):
    """All events of the entries that may touch exactly these months (none: never logged)."""

    months: tuple[Month, ...]
    packed: bytes


class Part(NamedTuple):
    """Numbers of bundles, and two indexes of them: by event key and by entry id.

    A row of an index is the hash of a text above the number of the bundle in which it may lie;
    eight bytes each, sorted. It says where to look, never what is there: two texts of one hash
    cost an unpacking and change nothing, and so does a row of a bundle that is gone.
    """

    name: bytes
    numbers: Sequence[int]
    keys: array[int]
    entries: array[int]


class _Stored(msgspec.Struct, array_like=True, gc=False):
    numbers: list[int]
    bundles: list[Bundle]
    keys: bytes
    entries: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def make_part(
    bundles: Mapping[int, Bundle], keys: Iterable[int], entries: Iterable[int]
) -> tuple[Part, bytes]:
    """A part of these bundles by number, and the bytes in which it is stored."""
    numbers = list(bundles)
    by_key, by_entry = array("Q", sorted(keys)), array("Q", sorted(entries))
    stored = _Stored(numbers, list(bundles.values()), by_key.tobytes(), by_entry.tobytes())
    body = _encode(stored)
    return Part(name_of(body), numbers, by_key, by_entry), body


def read_part(name: bytes, body: bytes) -> tuple[Part, dict[int, Bundle]]:
    """Raises ValueError (also as msgspec.MsgspecError) for bytes that `make_part` did not make."""
    found = _decode(body)
    keys, entries = array("Q"), array("Q")
    keys.frombytes(found.keys)
    entries.frombytes(found.entries)
    bundles = dict(zip(found.numbers, found.bundles, strict=True))
    return Part(name, found.numbers, keys, entries), bundles


def name_of(body: bytes) -> bytes:
    """What a part with these bytes is called."""
    return blake2b(body, digest_size=_NAME_BYTES).digest()


def row(hash: int, number: int) -> int:
    """That a text of this hash may lie in the bundle of this number."""
    return hash << _NUMBER_BITS | number


def rows_of(rows: Iterable[int], numbers: Collection[int]) -> list[int]:
    """Those of the rows that are about these bundles."""
    return [row for row in rows if row & _NUMBER_MASK in numbers]


class Index:
    """Where texts may lie, over the rows of several parts. Most of what is asked for is new: the
    table of hashes that were seen says so without a search."""

    __slots__ = ("_parts", "_seen", "_unseen_bits")

    def __init__(self, parts: Sequence[array[int]]) -> None:
        bits = (2 * _SLOTS_A_ROW * sum(map(len, parts))).bit_length()
        self._parts = parts
        self._seen = bytearray(1 << bits)
        self._unseen_bits = _HASH_BITS - bits
        self._see(chain.from_iterable(parts))

    def moved_on(self, parts: Sequence[array[int]], new: Iterable[int]) -> Index:
        """The index of these parts, which have rows of this one and the `new` ones. This one is
        not used any more."""
        if _SLOTS_A_ROW * sum(map(len, parts)) > len(self._seen):
            return Index(parts)
        self._parts = parts
        self._see(new)
        return self

    def _see(self, rows: Iterable[int]) -> None:
        seen, shift = self._seen, self._unseen_bits + _NUMBER_BITS
        for row in rows:
            seen[row >> shift] = 1

    def bundles(self, hash: int) -> list[int]:
        """Numbers of the bundles in which a text of this hash may lie."""
        found: list[int] = []
        if not self._seen[hash >> self._unseen_bits]:
            return found
        least = hash << _NUMBER_BITS
        for rows in self._parts:
            place = bisect_left(rows, least)
            while place < len(rows) and rows[place] >> _NUMBER_BITS == hash:
                found.append(rows[place] & _NUMBER_MASK)
                place += 1
        return found


def hash_of_key(key: EventKey) -> int:
    source, id = key
    return crc32(f"{len(source)}:{source}{id}".encode())


def hash_of_entry(entry_id: str) -> int:
    return crc32(entry_id.encode())


def staying(parts: Sequence[Part], bundles: Mapping[int, Bundle], new: int) -> int:
    """How many of the parts stay as they are when `new` bytes of bundles join; `bundles` are those
    of the parts that are not gone."""
    stay, behind = len(parts), new
    for place in range(len(parts) - 1, -1, -1):
        size = sum(len(bundles[n].packed) for n in parts[place].numbers if n in bundles)
        if size <= behind:
            stay = place
        behind += size
    return stay
