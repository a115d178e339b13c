"""What a person put into a form, as an event's `data`; and what is wrong with it, by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from domain.facts import Instant
from domain.rejections import Rejection
from domain.time.calendar import local_date
from services.pages.enter import clockwords
from services.pages.enter.clockwords import Unclear
from services.pages.enter.fields import Blank, Field
from services.wire import instants
from services.wire.limits import ENTRY_SECONDS_MAX

ZoneOn = Callable[[date], str]
"""The patient's time zone on a day."""

WORK: Final = {"started_at": "start", "ended_at": "end", "performed_on": "on", "seconds": "minutes"}
"""Which field is behind the members that all fields of a work make together."""
DAY_EXPECTED: Final = "Expected a day as YYYY-MM-DD."
AHEAD_SECONDS: Final = 60
"""Somebody's minute may be rounded up; what is still to be done is no work done."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it was sent: texts by field, in the place of a blank."""

    blank: Blank
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """The event's `data` as far as it could be made, and what is wrong by field."""

    data: dict[str, Any]
    problems: dict[str, str]


def read(draft: Draft, zone_on: ZoneOn, now: Instant) -> Read:
    """Work out the `data`. What the contract asks of each member is not asked here."""
    data: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in draft.blank.fields:
        if not (draft.blank.is_time and field.name in WORK.values()):
            _put(data, field.path, _value(field, draft.texts.get(field.name, "")))
    if draft.blank.is_time:
        members, problems = work(draft.texts, zone_on, now)
        data.update(members)
    return Read(data, problems)


def worded(blank: Blank, faults: Iterable[Rejection], known: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, in words, by field. What is `known` of a field already is not said again; a
    fault of no field stands under the empty name."""
    fields = {f"data.{field.path}": field.name for field in blank.fields}
    if blank.is_time:
        fields |= {f"data.{member}": name for member, name in WORK.items()}
    found = dict(known)
    is_unread = any(name in found for name in WORK.values())
    for fault in faults:
        name = fields.get(fault.field, "")
        if is_unread and name in WORK.values():
            continue  # its members are missing because of what is said beside it
        found.setdefault(name, _sentence(fault))
    return found


def work(texts: Mapping[str, str], zone_on: ZoneOn, now: Instant) -> tuple[Any, dict[str, str]]:
    """When and how long: a start with an end or a length, or a day with a length."""
    try:
        return _work(texts, zone_on, now), {}
    except _Wrong as wrong:
        return {}, {wrong.field: str(wrong)}


class _Wrong(Exception):
    def __init__(self, field: str, says: str) -> None:
        super().__init__(says)
        self.field = field


def _work(texts: Mapping[str, str], zone_on: ZoneOn, now: Instant) -> dict[str, Any]:
    start, end, minutes = (texts.get(name, "").strip() for name in ("start", "end", "minutes"))
    day = _day(texts.get("on", "").strip())
    if not end and not minutes:
        raise _Wrong("minutes", "Say how long: minutes, or a start and an end.")
    if end and not start:
        raise _Wrong("start", "Say when it started; without a start give minutes alone.")
    timezone = zone_on(day)
    seconds = _seconds(minutes) if minutes else 0
    if not start:
        if day > local_date(now, timezone):
            raise _Wrong("on", f"This day is still to come: it is {local_date(now, timezone)}.")
        return {"performed_on": day.isoformat(), "seconds": seconds}
    started_at = _instant("start", day, start, timezone)
    ended_at = _ended_at(day, end, seconds, started_at, timezone)
    if ended_at > now + AHEAD_SECONDS:
        until, today = clockwords.shown(ended_at, timezone), clockwords.shown(now, timezone)
        raise _Wrong("end" if end else "minutes", f"It would last until {until}; it is {today}.")
    at = (clockwords.local_text(each, timezone) for each in (started_at, ended_at))
    return dict(zip(("started_at", "ended_at"), at, strict=True))


def _day(text: str) -> date:
    try:
        return instants.day(text)
    except ValueError:
        raise _Wrong("on", DAY_EXPECTED) from None


def _seconds(text: str) -> int:
    try:
        seconds = clockwords.length(text)
    except Unclear as unclear:
        raise _Wrong("minutes", str(unclear)) from None
    if seconds > ENTRY_SECONDS_MAX:
        raise _Wrong("minutes", "Expected at most a day (1440 minutes); enter each day by itself.")
    return seconds


def _instant(field: str, day: date, text: str, timezone: str) -> Instant:
    try:
        return clockwords.instant(day, text, timezone)
    except Unclear as unclear:
        raise _Wrong(field, str(unclear)) from None


def _ended_at(day: date, end: str, seconds: int, started_at: Instant, timezone: str) -> Instant:
    if not end:
        return started_at + seconds
    ended_at = _instant("end", day, end, timezone)
    if ended_at <= started_at:
        says = "Expected an end after the start; for work past midnight give minutes instead."
        raise _Wrong("end", says)
    if seconds and ended_at - started_at != seconds:
        whole = clockwords.length_text(ended_at - started_at)
        raise _Wrong("minutes", f"From start to end it is {whole}; leave one of them away.")
    return ended_at


def _value(field: Field, text: str) -> Any:
    """The member's value; None where nothing was put in."""
    if field.kind == "flag":
        return bool(text) if text or field.is_required else None
    return text.strip() or None


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:  # there also while empty: then each member that is missing is told
        data = data.setdefault(name, {})
    if value is not None:
        data[last] = value


def _sentence(fault: Rejection) -> str:
    """The wire's sentence without the member's name: it stands beside the field."""
    for before in (f"{fault.field}: ", f"{fault.field} is missing; "):
        if fault.sentence.startswith(before):
            rest = fault.sentence.removeprefix(before)
            return rest[:1].upper() + rest[1:]
    return fault.sentence
