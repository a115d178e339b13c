"""Instants between text and number."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from domain.facts import Instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_TEXT_FRACTION = re.compile(r"\.\d+")


def instant(text: str) -> Instant:
    """Whole seconds since the epoch of an RFC 3339 text with offset, fractions cut off.

    Raises ValueError when the text is not one or names no offset.
    """
    try:
        moment = msgspec.convert(_TEXT_FRACTION.sub("", text, count=1), datetime)
    except msgspec.ValidationError:
        raise ValueError(f"{text!r} is not an RFC 3339 date and time") from None
    return seconds_of(moment)


def seconds_of(moment: datetime) -> Instant:
    """Whole seconds since the epoch. Raises ValueError when the moment names no offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC")
    return (moment - EPOCH) // _SECOND


def microseconds_of(moment: datetime) -> int:
    """Microseconds since the epoch. Raises ValueError when the moment names no offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC")
    return (moment - EPOCH) // _MICROSECOND


@lru_cache(maxsize=1024)
def _second_text(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def utc_text(microseconds: int) -> str:
    """Microseconds since the epoch as RFC 3339 UTC, always with six digits of fraction."""
    return f"{_second_text(microseconds // 1_000_000)}.{microseconds % 1_000_000:06d}Z"


def instant_text(microseconds: int) -> str:
    """The same for people and options: with a fraction only where the instant has one."""
    return utc_text(microseconds).replace(".000000", "")
