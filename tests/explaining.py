"""Words for what an explanation says, and events that are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain import facts as f
from domain.event import Event
from domain.explain import Explanation, explain
from domain.explain.explanation import Condition, EntryAccount, EventRef, Ladder, Remark, WhatIf
from domain.policy import Policy
from domain.rules import BOOK, RuleBook
from domain.rules.codes import Family
from tests.given import (
    NPI,
    day,
    event,
    five_pm,
    folded,
)

MONTH = "2025-03"


def explained(
    events: Sequence[Event], month: str = MONTH, policy: Policy | None = None, book: RuleBook = BOOK
) -> Explanation:
    return explain(folded(events), month, book, policy or Policy())


def without(events: Sequence[Event], *kinds: type) -> list[Event]:
    return [said for said in events if not isinstance(said.fact, kinds)]


def named(said: Event) -> tuple[str, str]:
    return said.key


def keys(refs: Sequence[EventRef]) -> set[tuple[str, str]]:
    return {(ref.source, ref.id) for ref in refs}


def condition_of(x: Explanation, blocker: str) -> Condition:
    return next(c for c in x.conditions if c.blocker == blocker)


def entry_of(x: Explanation, entry_id: str) -> EntryAccount:
    return next(e for e in x.entries if e.entry_id == entry_id)


def ladder_of(x: Explanation, family: Family) -> Ladder:
    return next(ladder for ladder in x.ladders if ladder.family is family)


def remark_of(x: Explanation, warning: str) -> Remark:
    return next(r for r in x.remarks if r.warning == warning)


def what_ifs(x: Explanation, kind: str) -> list[WhatIf]:
    return [w for w in x.what_ifs if w.kind == kind]


def rule_ids(rules: Sequence[object]) -> list[str]:
    return [rule.rule_id for rule in rules]  # type: ignore[attr-defined]


def billed(hcpcs: str, first: str, last: str, npi: str = NPI) -> Event:
    return event(f.ServiceBilled(hcpcs, day(first), day(last), npi), five_pm(last))


def stay(kind: str, first: str, last: str | None = None) -> Event:
    fact = f.StayRecorded(kind, day(first), day(last) if last else None)  # type: ignore[arg-type]
    return event(fact, five_pm(last or first))


def claimed(month: str, on: str, *codes: tuple[str, int]) -> Event:
    lines = tuple(f.CodeUnits(code, units) for code, units in codes)
    return event(f.MonthClaimed(month, lines, "c1", day(on)), five_pm(on))


def located(events: Sequence[Event], **changes: object) -> list[Event]:
    """The same patient with another enrolment."""
    return [
        event(replace(e.fact, **changes), e.time) if isinstance(e.fact, f.PatientEnrolled) else e  # type: ignore[arg-type]
        for e in events
    ]
