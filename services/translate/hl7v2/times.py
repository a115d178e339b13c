"""HL7's times: `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±HHMM]`.

What is less precise than is needed goes to review. Without an offset a time is of the source's
zone, which the profile names; an hour that the zone has twice is ambiguous where minutes count.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.rejections import Reason
from services.translate.outcome import Ignore, Review
from services.translate.site import Site
from services.translate.times import TOO_EARLY, YEARS
from services.wire.instants import FIRST_DAY, instant_us

_PLAIN = re.compile(
    r"\d{8}(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?([+-](?:(?:0\d|1[0-3])[0-5]\d|1400))?)?",
    re.ASCII,
).fullmatch
_TIME = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?",
    re.ASCII,
)
FIRST_US, END_US = instant_us("2010-01-01T00:00:00Z"), instant_us("2099-12-31T23:59:59Z")
YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = range(1, 7)
"""How precise a time is: the number of its parts."""
_LOCAL_MAX = 14
_PRECISION = {8: DAY, 12: MINUTE, 14: SECOND, 17: MINUTE, 19: SECOND}
"""By the length of a plain time; those longer than `_LOCAL_MAX` have an offset."""


def zone_of(site: Site) -> str:
    """The zone of times without an offset."""
    return (site.hl7v2 and site.hl7v2.timezone) or site.timezone


def day(raw: str, field: str, site: Site) -> str:
    """`YYYY-MM-DD` in the patients' zone. Raises `Review`, and `Ignore` for days before 2010."""
    if len(raw) <= _LOCAL_MAX and _PLAIN(raw) and zone_of(site) == site.timezone:
        known = _day_text(raw[:8])
        if known:
            return known
    at, precision, offset = _moment(raw, field, site, DAY, "a date of at least a day")
    found = at.date()
    if precision > DAY and (offset or zone_of(site) != site.timezone):
        found = at.astimezone(_zone(site.timezone)).date()
    if found < FIRST_DAY:
        raise Ignore(TOO_EARLY)
    return found.isoformat()


@lru_cache(maxsize=4096)
def _day_text(digits: str) -> str:
    """`YYYY-MM-DD`; '' for a day that no calendar has, or that is out of reach."""
    try:
        found = date.fromisoformat(digits)
    except ValueError:
        return ""
    return found.isoformat() if found >= FIRST_DAY and found.year <= YEARS[1] else ""


def clock(raw: str, field: str, site: Site) -> datetime:
    """An instant to the second: what work is measured by. Raises `Review` and `Ignore`."""
    at, _, offset = _moment(raw, field, site, SECOND, "a time with seconds")
    if not offset and _is_doubtful(at):
        sentence = "expected an offset: the clock of its zone was set forward or back in this hour"
        raise Review(Reason.AMBIGUOUS, field, sentence)
    if at.astimezone(UTC).date() < FIRST_DAY:
        raise Ignore(TOO_EARLY)
    return at


def recorded(raw: str, field: str, site: Site) -> tuple[str, int]:
    """An instant fit to be an event's `time`, as text and in microseconds since the epoch; to the
    minute is enough, for it only orders."""
    if not raw:
        sentence = "expected when the message was made; it is missing"
        raise Review(Reason.NO_RECORDED_TIME, field, sentence)
    try:
        at, _, _ = _moment(raw, field, site, MINUTE, "a time of at least a minute")
        at_us = int(at.timestamp()) * 1_000_000
        if not FIRST_US <= at_us < END_US:
            raise ValueError(at)
    except (Review, ValueError):
        sentence = "expected a time of at least a minute, from 2010 on; found something else"
        raise Review(Reason.NO_RECORDED_TIME, field, sentence) from None
    return at.isoformat(timespec="seconds") if at.microsecond else at.isoformat(), at_us


def _moment(
    raw: str, field: str, site: Site, needed: int, expected: str
) -> tuple[datetime, int, bool]:
    """The time, how precise it is, and whether it has an offset of its own."""
    plain = _PLAIN(raw)
    if plain is not None:
        precision = _PRECISION[len(raw)]
        if precision >= needed and (at := _read(raw, site)) is not None:
            return at, precision, len(raw) > _LOCAL_MAX
    return _any_moment(raw, field, site, needed, expected)


def _read(raw: str, site: Site) -> datetime | None:
    """A time in plain form; None where whoever complains must look at it."""
    try:
        at = datetime.fromisoformat(f"{raw[:8]}T{raw[8:]}" if len(raw) > 8 else raw)
    except ValueError:
        return None
    if not YEARS[0] <= at.year <= YEARS[1]:
        return None
    return at if len(raw) > _LOCAL_MAX else at.replace(tzinfo=_zone(zone_of(site)))


def _any_moment(
    raw: str, field: str, site: Site, needed: int, expected: str
) -> tuple[datetime, int, bool]:
    found = _TIME.fullmatch(raw)
    if found is None:
        raise Review(Reason.INVALID_MEMBER, field, f"expected {expected}; found something else")
    parts = [int(part) for part in found.groups()[:6] if part is not None]
    if len(parts) < needed:
        raise Review(Reason.IMPRECISE_DATE, field, f"expected {expected}; found less")
    try:
        on = date(*parts[:DAY])
        if not YEARS[0] <= on.year <= YEARS[1]:
            raise ValueError(on.year)
        of = _offset(found[8]) if found[8] else _zone(zone_of(site))
        at = datetime(*parts, tzinfo=of)  # type: ignore[misc,arg-type]
    except ValueError:
        sentence = f"expected {expected}; found one that no calendar has"
        raise Review(Reason.INVALID_MEMBER, field, sentence) from None
    return at, len(parts), found[8] is not None


@lru_cache(maxsize=256)
def _offset(text: str) -> timezone:
    """Raises `ValueError` for an offset that no zone has."""
    minutes = int(text[1:3]) * 60 + int(text[3:])
    if int(text[3:]) > 59 or minutes > 14 * 60:
        raise ValueError(text)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _is_doubtful(at: datetime) -> bool:
    """Whether the zone has this time twice or never."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
