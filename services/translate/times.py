"""FHIR's dates, which may be less precise than any event can be.

`2025` and `2025-03` are dates in FHIR. No day is made up for them: they go to review. What lies
before 2010 is beyond the reach of the contract.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from domain.rejections import Reason
from services.translate.outcome import Ignore, Review
from services.translate.reading import Resource, obj, text
from services.wire.instants import FIRST_DAY, instant

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
_LESS = re.compile(r"\d{4}(?:-\d{2})?", re.ASCII).fullmatch
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,18})?(?:Z|[+-]\d{2}:\d{2})", re.ASCII
).fullmatch
_FIRST = datetime.combine(FIRST_DAY, time(), UTC)
TOO_EARLY = "before-2010"
YEARS = (1800, 2200)
"""An instant in another year is a fault of writing, and none that every zone has a day for."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant with its text, or a whole day (`at` is None then)."""

    text: str
    at: datetime | None
    on: date | None = None

    def day(self, zone: str) -> date:
        """The date; that of an instant in this zone."""
        if self.at is not None:
            return self.at.astimezone(ZoneInfo(zone)).date()
        assert self.on is not None
        return self.on


def moment(value: Any, field: str) -> Moment:
    """A day or an instant with offset. Raises `Review` for less, and for what is none."""
    if value is None:
        raise Review(Reason.MISSING_MEMBER, field, "expected a date; it is missing")
    found = text(value)
    try:
        if _INSTANT(found):
            at = datetime.fromisoformat(found)  # cuts what is finer than a microsecond
            if YEARS[0] <= at.year <= YEARS[1]:
                return Moment(found, at)
        elif _DAY(found):
            return Moment(found, None, date.fromisoformat(found))
    except ValueError:
        pass
    if _LESS(found):
        raise Review(Reason.IMPRECISE_DATE, field, "expected a date of at least a day; found less")
    sentence = "expected a date, or an instant with seconds and offset; found something else"
    raise Review(Reason.INVALID_MEMBER, field, sentence)


def day(value: Any, field: str, zone: str) -> str:
    """`YYYY-MM-DD`. Raises `Review` as `moment`, `Ignore` for days before 2010."""
    found = moment(value, field).day(zone)
    if found < FIRST_DAY:
        raise Ignore(TOO_EARLY)
    return found.isoformat()


def clock(value: Any, field: str) -> Moment:
    """An instant. Raises `Review` also for a day alone: nobody can say how long work took by it."""
    found = moment(value, field)
    if found.at is None:
        sentence = "expected an instant with seconds and offset; found a day"
        raise Review(Reason.IMPRECISE_DATE, field, sentence)
    if found.at < _FIRST:
        raise Ignore(TOO_EARLY)
    return found


def recorded_text(value: Any, field: str) -> str:
    """An instant fit to be an event's `time`, as it was written."""
    found = text(value)
    try:
        instant(found)
    except ValueError:
        sentence = "expected an instant from 2010 on; found something else"
        raise Review(Reason.NO_RECORDED_TIME, field, sentence) from None
    return found


def start_and_end(resource: Resource, *names: str) -> tuple[Any, Any, str]:
    """Both ends of the first of these Periods, and the name it has."""
    name = next((each for each in names if resource.get(each) is not None), names[0])
    period = obj(resource.get(name))
    return period.get("start"), period.get("end"), name
