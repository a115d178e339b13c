"""A stopped timer as a form: what was measured, what the person makes of it, what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from domain.facts import Instant
from domain.time.calendar import local_date
from infra.timers import Stretch, Timer
from services.pages.enter.blanks import MORE, WHO
from services.pages.enter.clockwords import length_text, local_text, shown
from services.pages.enter.entering import Saying
from services.pages.enter.fields import Blank, Field
from services.pages.enter.names import new_entry_id
from services.pages.enter.reading import WORK, Draft, read, work
from services.pages.enter.usual import Desk, stretch, who_usually, zone_at
from services.pages.timer.bar import LONG_SECONDS
from services.wire import instants

REASON: Final = Field("reason", "Why it is not as measured", "note", is_required=False)
PARTS: Final = (
    Field("on", "Day", "day"),
    Field("start", "Start", "clock", hint="09:15 or 09:15:30"),
    Field("minutes", "Minutes", "length", hint="21 or 21:30"),
)
COMMON: Final = Blank("timer", "time.logged.v1", "Log measured time", "Log it", (*WHO, *MORE))
NONE_KEPT: Final = "Keep one stretch at least; or drop the timer below."
UNSAID: Final = "Say why: it is not what was measured."


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch on the form. `doubt` is what makes one ask whether all of it was worked."""

    number: int
    measured: Stretch
    legend: str
    doubt: str

    def name(self, field: str) -> str:
        return f"{field}-{self.number}"

    @property
    def fields(self) -> tuple[Field, ...]:
        return PARTS


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts to be said, by the number of their stretch; what they share; and what is wrong, by
    field."""

    sayings: dict[int, Saying]
    common: dict[str, Any]
    problems: dict[str, str]


def parts_of(timer: Timer, desk: Desk) -> tuple[Part, ...]:
    """Its stretches, in order of time."""
    return tuple(
        Part(number, each, _legend(each, desk), _doubt(each.started_at, _end(each), desk))
        for number, each in enumerate(timer.stretches)
    )


def blank_of(parts: tuple[Part, ...]) -> Blank:
    """Every field of the form, so that faults find theirs."""
    stretches = [
        Field(part.name(field.name), f"{field.label}, stretch {part.number + 1}", field.kind)
        for part in parts
        for field in (*PARTS, KEEP, BELIEVED)
    ]
    name, type, title, verb = COMMON.name, COMMON.type, COMMON.title, COMMON.verb
    return Blank(name, type, title, verb, (*COMMON.fields, *stretches, REASON))


KEEP: Final = Field("keep", "Log it", "flag", is_required=False)
BELIEVED: Final = Field("believed", "All of it was worked", "flag", is_required=False)


def usual_texts(parts: tuple[Part, ...], desk: Desk) -> dict[str, str]:
    """The form as it is first shown: as measured."""
    texts = who_usually(desk)
    for part in parts:
        texts |= _texts(part, desk) | {part.name("keep"): "yes"}
    return texts


def judge(parts: tuple[Part, ...], texts: Mapping[str, str], desk: Desk, act: UUID) -> Judged:
    """What the person makes of it. Time that was corrected needs a reason, time in doubt a word."""
    common = read(Draft(COMMON, texts), desk.timeline.timezone_on, desk.now).data
    kept = [part for part in parts if texts.get(part.name("keep"))]
    judged = Judged({}, common, {} if kept else {parts[0].name("keep"): NONE_KEPT})
    reason = texts.get("reason", "").strip()
    for part in kept:
        own = {name: texts.get(part.name(name), "") for name in WORK.values()}
        members, wrong = work(own, desk.timeline.timezone_on, desk.now)
        judged.problems.update((part.name(name), says) for name, says in wrong.items())
        if wrong:
            continue
        is_measured = _is_measured(part, members)
        if not is_measured and not reason:
            judged.problems["reason"] = UNSAID
        if _is_doubted(members, desk) and not texts.get(part.name("believed")):
            judged.problems[part.name("believed")] = f"{part.doubt or _LONG} Was all of it work?"
        data = {"entry_id": new_entry_id(act, part.number), **common, **members}
        data |= {"measured": _measured(part, desk)} | ({} if is_measured else {"reason": reason})
        judged.sayings[part.number] = Saying(COMMON.type, data)
    return judged


_LONG: Final = "This is more than two hours without a pause, or across midnight."


def _is_measured(part: Part, members: Mapping[str, Any]) -> bool:
    if "started_at" not in members:
        return False
    said = [instants.instant(members[name]) for name in ("started_at", "ended_at")]
    return said == [part.measured.started_at, _end(part.measured)]


def _is_doubted(members: Mapping[str, Any], desk: Desk) -> bool:
    if "started_at" not in members:
        return bool(members["seconds"] > LONG_SECONDS)
    said = [instants.instant(members[name]) for name in ("started_at", "ended_at")]
    return bool(_doubt(said[0], said[1], desk))


def _measured(part: Part, desk: Desk) -> dict[str, str]:
    """What the timer measured, kept beside what the person says."""
    return dict(_moments(part.measured, zone_at(desk.timeline, part.measured.started_at)))


def _moments(each: Stretch, timezone: str) -> Iterator[tuple[str, str]]:
    yield "started_at", local_text(each.started_at, timezone)
    yield "ended_at", local_text(_end(each), timezone)


def _texts(part: Part, desk: Desk) -> dict[str, str]:
    held = stretch(desk.timeline, part.measured.started_at, _end(part.measured))
    return {part.name(name): text for name, text in held.items()}


def _legend(each: Stretch, desk: Desk) -> str:
    start = shown(each.started_at, zone_at(desk.timeline, each.started_at))
    return f"{start}, measured {length_text(_end(each) - each.started_at)} min"


def _doubt(started_at: Instant, ended_at: Instant, desk: Desk) -> str:
    """Why somebody may have forgotten the timer; empty where nothing says so."""
    length, timezone = ended_at - started_at, zone_at(desk.timeline, started_at)
    if length > LONG_SECONDS:
        return f"It ran {length // 3600} h {length // 60 % 60} min without a pause."
    if local_date(started_at, timezone) != local_date(ended_at - 1, timezone):
        return "It ran across midnight."
    return ""


def _end(each: Stretch) -> Instant:
    assert each.ended_at is not None  # of a stopped timer
    return each.ended_at
