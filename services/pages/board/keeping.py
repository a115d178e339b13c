"""A board in one piece: all that a process needs to go on with it as if it had made it.

Rows, and the past months that their outlooks rest on. Bound by its form to the rules, fees and
policies it was made by and to the shape of a row, and by a checksum to its place.
"""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, timedelta
from hashlib import blake2b, sha256
from typing import Final, NamedTuple

import msgspec

from domain.assess.prospects import Rung, Threshold
from domain.facts import Month
from domain.rules.codes import Pool
from domain.time.calendar import last_day
from projections.board import Row
from projections.forecast import Course, Experience, Outlook
from projections.keptboards import KeptBoard

REVISION: Final = 1
"""Count up when the same members of a row come to mean something else."""

_CHECKSUM_BYTES: Final = 16
_FAST: Final = 1


class DamagedBoard(ValueError):
    """The bytes are not those that were kept, or not in this place."""


class Piece(NamedTuple):
    """What is kept: rows in the order of the board, and the practice's experience by pool."""

    rows: list[Row]
    experience: dict[Pool, Experience]


class _Learned(msgspec.Struct, array_like=True, gc=False):
    months: list[list[Course]]
    spread: float | None


class _Body(msgspec.Struct, array_like=True, gc=False):
    rows: list[Row]
    learned: dict[Pool, _Learned]


_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_decode = msgspec.msgpack.Decoder(_Body).decode


def form_of(making: str) -> str:
    """Stands for what a board is made by (`Parts.making`) and for what a row is here."""
    shapes = [[field.name for field in fields(Row)]]
    shapes += [list(shape._fields) for shape in (Threshold, Rung, Course, Outlook)]
    return f"sha256:{sha256(repr((REVISION, making, shapes)).encode()).hexdigest()}"


def day_kept(month: Month, today: date) -> date:
    """The day that a board is of: once its month is over every further day shows the same."""
    return min(today, last_day(month) + timedelta(days=1))


def packed(
    place: tuple[str, Month, date, str],
    position: int,
    rows: Iterable[Row],
    experience: Mapping[Pool, Experience],
) -> KeptBoard:
    """The piece; `place` is practice, month, day and form."""
    learned = {pool: _Learned(one.courses, one.spread) for pool, one in experience.items()}
    body = zlib.compress(_encode(_Body(list(rows), learned)), _FAST)
    kept = KeptBoard(*place, position, body)
    return kept._replace(body=_checksum(kept) + body)


def unpacked(kept: KeptBoard) -> Piece:
    """What was kept. Raises DamagedBoard."""
    checksum, body = kept.body[:_CHECKSUM_BYTES], kept.body[_CHECKSUM_BYTES:]
    if checksum != _checksum(kept._replace(body=body)):
        raise DamagedBoard("a kept board fails its checksum")
    try:
        with _nothing_is_garbage():
            found = _decode(zlib.decompress(body))
    except (msgspec.MsgspecError, zlib.error) as error:
        raise DamagedBoard("a kept board is no longer read") from error
    learned = {p: Experience.learned(one.months, one.spread) for p, one in found.learned.items()}
    return Piece(found.rows, learned)


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """A hundred thousand tuples are made and stay: looking among them for garbage would take four
    times as long as making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _checksum(kept: KeptBoard) -> bytes:
    head = repr((kept.practice_id, kept.month, kept.day.isoformat(), kept.form, kept.position))
    key = blake2b(head.encode()).digest()
    return blake2b(kept.body, key=key, digest_size=_CHECKSUM_BYTES).digest()
