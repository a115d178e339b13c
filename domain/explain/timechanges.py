"""More time, less time, a decision making, a corrected claim: what each would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from domain.assess.assessment import Assessment, NextThreshold, Status
from domain.assess.context import MonthContext
from domain.explain.explanation import EntryAccount, WhatIf
from domain.explain.hypothesis import (
    Hypotheses,
    Worth,
    change_of,
    difference,
    option_of,
    what_if,
)
from domain.explain.wording import codes, dollars, listed
from domain.facts import (
    CarePlanRecorded,
    CodeUnits,
    ComplexityAssessed,
    Fact,
    MonthClaimed,
    Performer,
    Role,
    TimeLogged,
    TimeVoided,
    Unclocked,
)
from domain.rules.codes import Family
from domain.time.calendar import ONE_DAY, last_day


def last_countable_day(context: MonthContext) -> date | None:
    """The last date of the month whose time would count."""
    day = last_day(context.month)
    while context.holds(day):
        if context.reasons_on(day)[0] is None:
            return day
        day -= ONE_DAY
    return None


def more_time(h: Hypotheses, context: MonthContext) -> Iterator[WhatIf]:
    """The seconds that reach each family's next threshold."""
    day = last_countable_day(context)
    if day is None:
        return
    for near in h.now.next:
        by_practitioner = near.family is Family.PRACTITIONER
        role = Role.BILLING_PRACTITIONER if by_practitioner else Role.CLINICAL_STAFF
        fact = TimeLogged(
            h.unused_entry_id(),
            Performer("what-if", role),
            "care_coordination",
            Unclocked(day, near.seconds_to_go),
        )
        yield from _reaching(h, near, day, role, h.assess([fact]))


def _reaching(
    h: Hypotheses, near: NextThreshold, day: date, role: Role, after: Assessment
) -> Iterator[WhatIf]:
    before, reached = option_of(h.now, near.family), option_of(after, near.family)
    units = {line.code: line.units for line in reached.codes} if reached else {}
    if reached is None or units.get(near.code, 0) < near.unit:
        return
    change = difference(before.payment if before else None, bool(before), reached.payment, True)
    who = "practitioner" if role is Role.BILLING_PRACTITIONER else "staff"
    said = (
        f"{near.seconds_to_go} more {who} seconds by {day} -> {near.code} unit {near.unit} "
        f"({dollars(change)}){_chosen(h, near.family, after)}"
    )
    yield what_if(
        "add-time",
        said,
        after,
        change,
        by=day,
        seconds=near.seconds_to_go,
        offered=reached.codes,
    )


def _chosen(h: Hypotheses, family: Family, after: Assessment) -> str:
    """What the policy would then select, where the family alone does not tell."""
    if after.blockers:
        return f", once nothing blocks: {listed(after.blockers)}"
    now, then = h.worth(h.now), h.worth(after)
    if then.family is not family:
        return f"; selected would stay {codes(then.codes)}"
    if now.codes and now.family is not family:
        change = dollars(change_of(now, then))
        return f"; the policy would select it instead of {codes(now.codes)} ({change})"
    return ""


def decision_making(h: Hypotheses, context: MonthContext) -> Iterator[WhatIf]:
    """A decision making, and where the month asks for it a revised plan, for the complex family."""
    npi, known = context.question.npi, [family.rule.family for family in context.families]
    if npi is None or Family.COMPLEX not in known or option_of(h.now, Family.COMPLEX):
        return
    assessed: Fact = ComplexityAssessed(h.month, "moderate", npi)
    revised: Fact = CarePlanRecorded("revised", last_day(h.month))
    words_mdm = f"a moderate or high decision making of {h.month} assessed by {npi}"
    words_plan = f"a care plan revised by {last_day(h.month)}"
    for facts, words in (
        ([assessed], words_mdm),
        ([revised], words_plan),
        ([assessed, revised], f"{words_mdm} and {words_plan}"),
    ):
        after = h.assess(facts)
        offered = option_of(after, Family.COMPLEX)
        if offered is not None:
            change = change_of(h.worth(h.now), h.worth(after))
            said = f"{words} -> {codes(offered.codes)} offered{_selected(h, after)}"
            more = {"by": last_day(h.month), "offered": offered.codes}
            yield what_if("assess-complexity", said, after, change, **more)
            return


def _selected(h: Hypotheses, after: Assessment) -> str:
    change = change_of(h.worth(h.now), h.worth(after))
    return f"; selected: {codes(h.worth(after).codes)} ({dollars(change)})"


def less_time(h: Hypotheses, accounts: Iterable[EntryAccount]) -> Iterator[WhatIf]:
    """Entries without which the answer would be another, together where it would be the same."""
    same: dict[Worth, list[Loss]] = {}
    now = h.worth(h.now)
    for account in accounts:
        if not account.counted:
            continue
        after = h.assess([TimeVoided(account.entry_id, "what-if")])
        if h.worth(after).codes != now.codes:
            gone = counted_once(h.now) - counted_once(after)
            same.setdefault(h.worth(after), []).append(Loss(account.entry_id, gone, after))
    for worth, losses in same.items():
        yield _loss(now, worth, losses)


@dataclass(frozen=True, slots=True)
class Loss:
    """An entry, the seconds the month would count less without it, and the answer then."""

    entry_id: str
    seconds: int
    after: Assessment


def counted_once(answer: Assessment) -> int:
    """Seconds of the month that count, each once."""
    return answer.seconds.logged - answer.seconds.excluded


def _loss(now: Worth, worth: Worth, losses: list[Loss]) -> WhatIf:
    change = change_of(now, worth)
    named = listed([f"{loss.entry_id} (-{loss.seconds} s)" for loss in losses])
    entry = "entry" if len(losses) == 1 else "any one of the entries"
    left = codes(worth.codes) if worth.codes else "nothing"
    blocked = losses[0].after.blockers
    still = f"; the month is blocked anyway: {listed(blocked)}" if blocked else ""
    said = f"voiding {entry} {named} would lose {codes(_lost(now, worth))} ({dollars(change)})"
    return what_if(
        "void-entry",
        f"{said}, leaving {left}{still}",
        losses[0].after,
        change,
        entry_ids=tuple(loss.entry_id for loss in losses),
        seconds=-losses[0].seconds if len(losses) == 1 else None,
        offered=worth.codes,
    )


def _lost(now: Worth, worth: Worth) -> list[CodeUnits]:
    """Less time never brings a unit, so where the codes differ some are lost."""
    left = {line.code: line.units for line in worth.codes}
    gone = ((line.code, line.units - left.get(line.code, 0)) for line in now.codes)
    return [CodeUnits(code, units) for code, units in gone if units > 0]


def corrected_claim(h: Hypotheses) -> Iterator[WhatIf]:
    """Where the claim is not supported: the one that would be."""
    if h.now.status is not Status.DIVERGED or not h.now.codes:
        return
    claim = MonthClaimed(h.month, h.now.codes, "what-if", last_day(h.month))
    after = h.assess([claim])
    if after.status is Status.CLAIMED:
        said = f"a corrected claim for {codes(h.now.codes)} -> the month agrees with its claim"
        yield what_if("correct-claim", said, after, None, offered=h.now.codes)
