"""Dates, months and instants of the wire, and the years they may lie in.

Stricter than ISO 8601, whose week dates and basic forms other readers would misread. Leap seconds
(23:59:60) are refused: Unix time has no number for them.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from domain.facts import Instant, Month

FIRST_DAY: Final = date(2010, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
FIRST_SECOND: Final = 1_262_304_000
"""2010-01-01T00:00:00Z."""
END_SECOND: Final = 4_102_444_800
"""2100-01-01T00:00:00Z, the first second too late."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_RFC3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII | re.IGNORECASE,
).fullmatch


class OutOfRange(ValueError):
    """A well-formed date, month or instant outside 2010-01-01..2099-12-31 (UTC for instants)."""


@lru_cache(maxsize=65_536)
def day(text: str) -> date:
    """A calendar day. Raises `ValueError` when malformed, `OutOfRange` when outside the years."""
    if not _DAY.fullmatch(text):
        raise ValueError(text)
    found = date.fromisoformat(text)
    if not FIRST_DAY <= found <= LAST_DAY:
        raise OutOfRange(text)
    return found


@lru_cache(maxsize=4_096)
def month(text: str) -> Month:
    """A calendar month. Raises `ValueError` when malformed, `OutOfRange` outside the years."""
    if not _MONTH.fullmatch(text):
        raise ValueError(text)
    if not FIRST_DAY.year <= int(text[:4]) <= LAST_DAY.year:
        raise OutOfRange(text)
    return text


def instant(text: str) -> Instant:
    """An RFC 3339 instant cut down to its whole second. Raises as `day`."""
    if not _RFC3339(text):
        raise ValueError(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _moment(text)
    found = int(moment.timestamp())
    if not FIRST_SECOND <= found < END_SECOND:
        raise OutOfRange(text)
    return found


def instant_us(text: str) -> int:
    """An RFC 3339 instant in whole microseconds since the epoch. Raises as `day`."""
    found = (_moment(text) - _EPOCH) // _MICROSECOND
    if not FIRST_SECOND * 1_000_000 <= found < END_SECOND * 1_000_000:
        raise OutOfRange(text)
    return found


def utc_day(at: Instant) -> date:
    """The UTC date of an instant."""
    return _EPOCH_DAY + timedelta(days=at // 86_400)


def _moment(text: str) -> datetime:
    """Python's parser wants its letters in capitals; RFC 3339 does not."""
    if not _RFC3339(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper())
