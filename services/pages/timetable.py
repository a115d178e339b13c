"""The month's time as rows: each stretch with who, when, whether it counts and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from domain.entries import Entry
from domain.explain.explanation import EntryAccount, ExcludedTime
from domain.explain.stretches import Stretch, stretches
from domain.facts import Clocked, Instant, TimeAmended, TimeLogged
from services.pages.words import clock_time, minutes
from services.views.record import Known


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch with what its entry says. `running` are the month's counted seconds up to and
    with it. Work without clock times has neither `begins` nor `ends` and stands last on its day."""

    day: date
    entry_id: str
    performer: str
    role: str
    activity: str
    programme: str
    started_at: Instant | None
    begins: str
    ends: str
    seconds: int
    reason: str | None
    why: ExcludedTime | None
    in_own_pool: bool
    running: int

    @property
    def counts(self) -> bool:
        return self.reason is None

    @property
    def key(self) -> str:
        return f"span {self.entry_id} {self.day} {self.begins}"

    @property
    def when(self) -> str:
        return f"{self.begins}–{self.ends}" if self.begins else "no clock times"

    @property
    def fate(self) -> str:
        """Whether it counts, in a few words."""
        if self.reason is None:
            return "counts"
        own = ", counts among the practitioner's own time" if self.in_own_pool else ""
        return f"does not count: {self.reason}{own}"

    @property
    def says(self) -> str:
        return f"{self.role}, {self.activity}, {minutes(self.seconds)}, {self.fate}"


def spans(known: Known) -> tuple[Span, ...]:
    """By day, then by the clock, then what has none."""
    entries = known.patient.entries.in_month(known.answer.month)
    found = sorted(stretches(known.context, entries.values()), key=_order)
    running = accumulate(each.seconds if each.reason is None else 0 for each in found)
    why = dict(_reasons(known))
    return tuple(
        _span(known, entries[each.entry_id], each, why, total)
        for each, total in zip(found, running, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Account:
    """One entry with all that was ever said of it."""

    account: EntryAccount

    @property
    def key(self) -> str:
        return f"entry {self.account.entry_id}"

    @property
    def says(self) -> str:
        a = self.account
        left_out = "".join(f", {part.reason} {minutes(part.seconds)}" for part in a.excluded)
        return f"{a.state}, counts {minutes(a.counted)} of {minutes(a.logged)}{left_out}"


def accounts(known: Known) -> tuple[Account, ...]:
    """Every entry that has, or under some revision had, time in the month."""
    return tuple(map(Account, known.explained.entries))


def _order(each: Stretch) -> tuple[date, bool, int, str]:
    return (each.day, each.started_at is None, each.started_at or 0, each.entry_id)


def _reasons(known: Known) -> Iterator[tuple[tuple[str, str], ExcludedTime]]:
    for account in known.explained.entries:
        for part in account.excluded:
            yield (account.entry_id, part.reason), part


def _span(
    known: Known,
    entry: Entry,
    each: Stretch,
    why: dict[tuple[str, str], ExcludedTime],
    running: int,
) -> Span:
    assert entry.standing is not None
    fact = entry.standing.event.fact
    assert isinstance(fact, TimeLogged | TimeAmended)
    begins = ends = ""
    if each.started_at is not None:
        timezone = known.context.timeline.timezone_on(each.day)
        begins = clock_time(each.started_at, timezone)
        ends = clock_time(each.started_at + each.seconds, timezone)
    other_role = isinstance(fact.work, Clocked) and entry.standing.by_practitioner
    return Span(
        day=each.day,
        entry_id=each.entry_id,
        performer=fact.performer.id,
        role=fact.performer.role.value,
        activity=fact.activity,
        programme="" if fact.program == "ccm" else fact.program,
        started_at=each.started_at,
        begins=begins,
        ends=ends,
        seconds=each.seconds,
        reason=each.reason,
        why=why.get((each.entry_id, each.reason)) if each.reason else None,
        in_own_pool=each.in_own_pool and each.reason is not None and other_role,
        running=running,
    )
