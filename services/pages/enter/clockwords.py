"""Times of day and lengths as people write them, and back. Nothing is rounded or guessed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Final

from domain.facts import Instant
from domain.time.calendar import zone

_CLOCK: Final = re.compile(
    r"(\d{1,2}):?(\d{2})(?::(\d{2}))?(?:\s*(Z|[+-]\d{2}:\d{2}))?", re.ASCII | re.IGNORECASE
)
_LENGTH: Final = re.compile(r"(\d{1,6})(?::([0-5]\d))?", re.ASCII)
CLOCK_EXPECTED: Final = "Expected a time of day such as 09:15 or 14:05:30."
LENGTH_EXPECTED: Final = "Expected whole minutes such as 21, or minutes and seconds such as 21:30."


class Unclear(ValueError):
    """What was written is no time; the message says what was expected."""


def length(text: str) -> int:
    """Seconds of `21` or `21:30`. Raises Unclear."""
    found = _LENGTH.fullmatch(text)
    seconds = int(found[1]) * 60 + int(found[2] or 0) if found else 0
    if not seconds:
        raise Unclear(LENGTH_EXPECTED)
    return seconds


def length_text(seconds: int) -> str:
    """`21` or `21:30`, as `length` takes it."""
    rest = seconds % 60
    return f"{seconds // 60}:{rest:02d}" if rest else f"{seconds // 60}"


def instant(day: date, text: str, timezone: str) -> Instant:
    """The instant of a local time. A time that came twice that night needs its offset beside it;
    one that the clocks skipped is none. Raises Unclear."""
    found = _CLOCK.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        clock = time_of_day(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        raise Unclear(CLOCK_EXPECTED) from None
    meant = sorted(_instants(day, clock, timezone))
    if not meant:
        raise Unclear(f"{text} was skipped that day: the clocks of {timezone} went forward.")
    offset = found[4]
    if offset:
        meant = [each for each in meant if _offset(each, timezone) == _normal(offset)]
        if not meant:
            raise Unclear(f"{offset} is not the offset of {timezone} at that time.")
    if len(meant) > 1:
        both = " or ".join(f"{clock:%H:%M:%S}{_offset(each, timezone)}" for each in meant)
        raise Unclear(f"{text} came twice that night: write {both}.")
    return meant[0]


def clock_text(at: Instant, timezone: str) -> str:
    """The local time as `instant` takes it, with seconds and offset only where needed."""
    local = datetime.fromtimestamp(at, zone(timezone))
    text = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    clock = local.time().replace(tzinfo=None, fold=0)
    is_twofold = len(_instants(local.date(), clock, timezone)) > 1
    return text + _offset(at, timezone) if is_twofold else text


def local_text(at: Instant, timezone: str) -> str:
    """RFC 3339 with the offset that the clocks there show."""
    return datetime.fromtimestamp(at, zone(timezone)).isoformat()


def _instants(day: date, clock: time_of_day, timezone: str) -> set[Instant]:
    """Every instant at which the clocks there show this: none, one or two."""
    local = datetime.combine(day, clock)
    tried = {int(local.replace(tzinfo=zone(timezone), fold=fold).timestamp()) for fold in (0, 1)}
    shown = {at: datetime.fromtimestamp(at, zone(timezone)) for at in tried}
    return {at for at, there in shown.items() if there.replace(tzinfo=None, fold=0) == local}


def _offset(at: Instant, timezone: str) -> str:
    return datetime.fromtimestamp(at, zone(timezone)).isoformat()[-6:]


def _normal(offset: str) -> str:
    return "+00:00" if offset.upper() == "Z" else offset


def shown(at: Instant, timezone: str) -> str:
    """`2025-03-05 09:15` for people."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone(timezone))
    return f"{local:%Y-%m-%d %H:%M}"
