"""Which missing facts would change the answer, and by when: each found by assessing with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from domain.assess.assessment import Assessment
from domain.assess.context import MonthContext
from domain.explain.explanation import WhatIf
from domain.explain.hypothesis import Hypotheses, change_of, what_if
from domain.explain.repairs import OF_BLOCKER, OF_EXCLUSION, Repair
from domain.explain.wording import codes, dollars, listed
from domain.facts import CodeUnits, Fact
from domain.time.calendar import first_day, last_day

ROUNDS_MAX = 3
"""A repaired enrolment may ask for more (visit, credential): how often that is followed up."""


def remedies(h: Hypotheses, context: MonthContext) -> Iterator[WhatIf]:
    """First what lifts each blocker, alone and all together; then what lets more time count."""
    needed = _needed(h, context)
    everything = _at(needed, first_day(h.month))
    best = offered_codes(h.assess(everything))
    days = [_latest_day(h, repair, needed, best) for repair in needed]
    for repair, day in zip(needed, days, strict=True):
        yield _alone(h, repair, day)
    if len(needed) > 1:
        yield _together(h, needed, days)
    if not needed:
        yield from _lifted(h, context)


def _needed(h: Hypotheses, context: MonthContext) -> list[Repair]:
    """One repair a blocker, with those that only the repaired month asks for."""
    found: dict[str, Repair] = {}
    for _ in range(ROUNDS_MAX):
        fresh = [name for name in context.blockers if name not in found]
        for name in fresh:
            repair = next(OF_BLOCKER[name](context), None)
            if repair is not None and all(repair.words != each.words for each in found.values()):
                found[name] = repair
        if not any(name in found for name in fresh):
            break
        context = h.context(_at(list(found.values()), first_day(h.month)))
    return list(found.values())


def _at(repairs: list[Repair], day: date) -> list[Fact]:
    return [fact for repair in repairs for fact in repair.facts(day)]


def offered_codes(answer: Assessment) -> tuple[tuple[CodeUnits, ...], ...]:
    return tuple(option.codes for option in answer.options)


def _latest_day(
    h: Hypotheses,
    repair: Repair,
    needed: list[Repair],
    best: tuple[tuple[CodeUnits, ...], ...],
) -> date:
    """The last day on which this fact would still do as well, the others being in time."""
    first = first_day(h.month)
    if not repair.dated:
        return last_day(h.month)
    others = _at([each for each in needed if each is not repair], first)

    def serves(day: date) -> bool:
        return offered_codes(h.assess([*others, *repair.facts(day)])) == best

    return latest(first, last_day(h.month), serves)


def latest(first: date, last: date, serves: Callable[[date], bool]) -> date:
    """The last day that serves, where every day up to it does; `first` is taken to serve."""
    good, bad = 0, (last - first).days + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if serves(first + timedelta(days=middle)):
            good = middle
        else:
            bad = middle
    return first + timedelta(days=good)


def _alone(h: Hypotheses, repair: Repair, day: date) -> WhatIf:
    after = h.assess(repair.facts(day))
    words = repair.words.format(by=day)
    by = day if repair.dated else None
    return _told(h, repair.kind, words, after, by)


def _together(h: Hypotheses, needed: list[Repair], days: list[date]) -> WhatIf:
    """Each on its own last day: all only say from when on time counts, so the latest decides."""
    facts = [f for repair, day in zip(needed, days, strict=True) for f in repair.facts(day)]
    words = "; ".join(r.words.format(by=day) for r, day in zip(needed, days, strict=True))
    return _told(h, "all-of-these", f"all of these: {words}", h.assess(facts), min(days))


def _told(h: Hypotheses, kind: str, words: str, after: Assessment, by: date | None) -> WhatIf:
    if after.blockers:
        outcome = f"still blocked by {listed(after.blockers)}"
        return what_if(kind, f"{words} -> {outcome}", after, None, by=by)
    if not after.options:
        return what_if(kind, f"{words} -> nothing blocks, no threshold reached", after, None, by=by)
    change = change_of(h.worth(h.now), h.worth(after)) if h.now.options else _gained(h, after)
    said = f"{words} -> {codes(after.codes)} ({dollars(change)})"
    return what_if(kind, said, after, change, by=by, offered=after.codes)


def _gained(h: Hypotheses, after: Assessment) -> Decimal | None:
    """The whole amount: a blocked month is worth nothing today."""
    payment = h.worth(after).payment
    return payment.amount if payment else None


def _lifted(h: Hypotheses, context: MonthContext) -> Iterator[WhatIf]:
    """Excluded time that an earlier fact would let count, where that changes the codes."""
    for reason in dict.fromkeys(part.reason for part in h.now.excluded):
        find = OF_EXCLUSION.get(reason)
        for repair in find(context) if find else ():
            best = offered_codes(h.assess(repair.facts(first_day(h.month))))
            if best != offered_codes(h.now):
                yield _alone(h, repair, _latest_day(h, repair, [], best))
