"""Every time entry of the month: what of it counts, what not and why, which revision stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from domain.assess.context import MonthContext
from domain.assess.counting import Tally, count, standing_entries
from domain.assess.reckoning import entries_of
from domain.assess.warnings import falls_in_month
from domain.entries import Entry, Standing
from domain.event import Event, EventKey
from domain.explain.catalogue import cite, of_exclusion, ref
from domain.explain.evidence import evidence_of_exclusion
from domain.explain.explanation import EntryAccount, EventRef, ExcludedTime, Revision
from domain.explain.wording import clock, listed, work_done
from domain.facts import Clocked, EventRetracted, TimeAmended, TimeLogged, TimeVoided
from domain.patient import Patient


def accounts(patient: Patient, context: MonthContext, tally: Tally) -> tuple[EntryAccount, ...]:
    """One per entry that has, or under some revision had, time in the month; by `entry_id`."""
    entries = {entry.entry_id: entry for entry in entries_of(patient, context)}
    clocked, _ = standing_entries(entries.values())
    retracted_by = _retractions(patient)
    touching = (entries[name] for name in sorted(entries) if _touches(context, entries[name]))
    return tuple(_account(context, tally, entry, clocked, retracted_by) for entry in touching)


def _touches(context: MonthContext, entry: Entry) -> bool:
    facts = (event.fact for event in entry.revisions)
    timed = (fact for fact in facts if isinstance(fact, TimeLogged | TimeAmended))
    return any(falls_in_month(context, fact.work) for fact in timed)


def _retractions(patient: Patient) -> dict[EventKey, EventRef]:
    """What withdrew each withdrawn event: the retraction in force that names it."""
    found: dict[EventKey, EventRef] = {}
    for event in sorted(patient.retractions, key=lambda event: event.order):
        fact = event.fact
        assert isinstance(fact, EventRetracted)
        if event.key not in patient.withdrawn:
            found[(fact.event_source, fact.event_id)] = ref(event)
    return found


def _account(
    context: MonthContext,
    tally: Tally,
    entry: Entry,
    clocked: list[Standing],
    retracted_by: dict[EventKey, EventRef],
) -> EntryAccount:
    excluded = tuple(_excluded(context, tally, entry, clocked))
    logged = logged_seconds(context, entry.standing) if entry.standing else 0
    state = _state(entry)
    fact = entry.effective.fact if entry.effective else None
    role = fact.performer.role.value if isinstance(fact, TimeLogged | TimeAmended) else None
    rules = {"standing": ("time.calendar-month", "time.exact-seconds")}
    return EntryAccount(
        entry_id=entry.entry_id,
        state=state,
        role=role,
        sentence=_sentence(context, entry, state, logged),
        logged=logged,
        counted=logged - sum(part.seconds for part in excluded),
        excluded=excluded,
        stands=ref(entry.effective) if entry.effective else None,
        revisions=_revisions(entry, retracted_by),
        rules=tuple(cite(name, context.month) for name in rules.get(state, ("record.correction",))),
    )


def _state(entry: Entry) -> str:
    if entry.standing is not None:
        return "standing"
    return "retracted" if entry.effective is None else "voided"


def logged_seconds(context: MonthContext, standing: Standing) -> int:
    """Seconds of one entry within the month, counted or not."""
    is_clocked = isinstance(standing.work, Clocked)
    alone = count(context, [standing] if is_clocked else [], [] if is_clocked else [standing])
    return alone.logged


def _sentence(context: MonthContext, entry: Entry, state: str, logged: int) -> str:
    if entry.standing is None:
        how = "Every revision was retracted" if state == "retracted" else "Voided"
        return f"{how}: no second of it counts."
    done = work_done(entry.standing.work, context.timezone)
    within = "" if logged == _whole(entry.standing) else f", {clock(logged)} within the month"
    return f"Worked {done}{within}."


def _whole(standing: Standing) -> int:
    work = standing.work
    return work.ended_at - work.started_at if isinstance(work, Clocked) else work.seconds


def _revisions(entry: Entry, retracted_by: dict[EventKey, EventRef]) -> tuple[Revision, ...]:
    return tuple(
        _revision(entry, event, retracted_by)
        for event in sorted(entry.revisions, key=lambda event: event.order)
    )


def _revision(entry: Entry, event: Event, retracted_by: dict[EventKey, EventRef]) -> Revision:
    if event.key in retracted_by:
        return Revision(ref(event), "retracted", retracted_by[event.key])
    if event is entry.effective:
        return Revision(
            ref(event), "void" if isinstance(event.fact, TimeVoided) else "stands", None
        )
    assert entry.effective is not None
    return Revision(ref(event), "superseded", ref(entry.effective))


def _excluded(
    context: MonthContext, tally: Tally, entry: Entry, clocked: list[Standing]
) -> Iterator[ExcludedTime]:
    if entry.standing is None:
        return
    for (entry_id, reason), seconds in sorted(tally.excluded.items()):
        if entry_id != entry.entry_id:
            continue
        words, rules = of_exclusion(reason, context.month)
        days = days_excluded(context, entry.standing, reason)
        on = f" on {listed([str(day) for day in days])}" if days else ""
        found = evidence_of_exclusion(context, entry.standing, reason, days, clocked)
        said = f"{clock(seconds)}{on}: {words}."
        yield ExcludedTime(reason, seconds, said, found, rules)


def days_excluded(context: MonthContext, standing: Standing, reason: str) -> tuple[date, ...]:
    """Local dates of the entry's work on which this reason of the day holds; else its dates."""
    work = standing.work
    if not isinstance(work, Clocked):
        return (work.performed_on,)
    worked = [
        (day.day, span)
        for day, span in zip(context.days, context.spans, strict=True)
        if day.start < work.ended_at and work.started_at < day.end
    ]
    on_those_days = [on for on in worked if context.reasons.of(*on)[0] == reason]
    return tuple(sorted({day for day, _ in on_those_days or worked}))
