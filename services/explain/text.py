"""An explanation for a terminal, 100 columns wide: what, why, by which evidence and rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import StringIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from domain.explain.explanation import (
    CitedRule,
    Condition,
    ConditionHint,
    EntryAccount,
    EventRef,
    Explanation,
    Ladder,
    OptionAccount,
)
from domain.explain.wording import clock, codes
from services.explain.hints import MISSING
from services.explain.sources import cited_rules, days_in_force

COLUMNS = 100
UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Controls, line separators, marks that turn the direction of writing, lone surrogates."""
STEP = 4
"""Columns a level is indented by."""
STATUS_STYLES = {
    "billable": "bold green",
    "claimed": "bold green",
    "accruing": "bold cyan",
    "blocked": "bold yellow",
    "diverged": "bold red",
}


def explain_text(explanation: Explanation, color: bool) -> str:
    """The explanation in lines of at most 100 columns, with ANSI colours if asked for.

    Rules are named where they apply and listed once, with their sources, at the end.
    """
    out = StringIO()
    console = Console(
        file=out,
        width=COLUMNS,
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in _parts(explanation):
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(x: Explanation) -> Iterator[RenderableType]:
    yield from _headline(x)
    yield from _section("Conditions", (p for c in x.conditions for p in _condition(c, x.hints)))
    yield from _section("Time entries", (p for e in x.entries for p in _entry(e)))
    yield from _section("Thresholds", (p for ladder in x.ladders for p in _ladder(ladder)))
    yield from _section("Options", (p for o in x.options for p in _option(o)))
    if x.claim:
        claim = (_line(x.claim.sentence), *_evidence([x.claim.evidence], 2))
        yield from _section("Claim", claim)
    yield from _section("What would change the answer", (_line(w.sentence) for w in x.what_ifs))
    yield from _section("Warnings", _warnings(x))
    yield from _section("Other services in the month", _services(x))
    yield from _section("Rules and sources", _rules(x))
    yield from _section("Basis", _basis(x))


def _line(text: str, level: int = 1, style: str = "") -> RenderableType:
    return Padding(_text(text, style), (0, 0, 0, level * STEP), expand=False)


def _text(text: str, style: str = "") -> Text:
    """Identifiers come from outside: what could steer a terminal is shown as U+FFFD."""
    return Text(UNPRINTABLE.sub("\ufffd", text), style=style, overflow="fold")


def _section(title: str, parts: Iterable[RenderableType]) -> Iterator[RenderableType]:
    listed = list(parts)
    if listed:
        yield Text()
        yield Text(title, style="bold")
        yield from listed


def _headline(x: Explanation) -> Iterator[RenderableType]:
    answer = x.assessment
    style = STATUS_STYLES[answer.status.value]
    yield _text(f"{answer.practice_id} / {answer.patient_id}   {answer.month}", "bold")
    paid = answer.payment
    amount = f"{paid.amount} {paid.currency} ({paid.basis})" if paid else "no amount"
    worth = f": {codes(answer.codes)}, {amount}" if answer.codes else ""
    yield _text(f"{answer.status.value}{worth}", style)
    if answer.date_of_service:
        yield _text(f"date of service {answer.date_of_service}, time zone {answer.timezone}")
    if answer.as_of:
        yield _text(f"as known at {answer.as_of}")
    if answer.blockers:
        yield _text(f"blocked by {', '.join(answer.blockers)}", "yellow")


def _evidence(events: Iterable[EventRef], level: int) -> Iterator[RenderableType]:
    for event in events:
        yield _line(f"{event.type}  {event.source}  {event.id}", level, "dim")


def _named(rules: Iterable[CitedRule]) -> str:
    return ", ".join(rule.rule_id for rule in rules)


def _condition(c: Condition, hints: Iterable[ConditionHint]) -> Iterator[RenderableType]:
    mark, style = ("met    ", "green") if c.met else ("NOT MET", "bold red")
    yield _line(f"{mark}  {c.sentence}", 1, style)
    yield _line(_named(c.rules) if c.met else f"blocks as {c.blocker}: {_named(c.rules)}", 3)
    yield from _evidence(c.evidence, 3)
    for short in c.falls_short:
        yield _line(short.sentence, 3, "yellow")
        yield from _evidence([short.event], 4)
    for hint in hints if c.blocker == MISSING else ():
        yield _line(f"hint: {hint.sentence}", 3, "cyan")
        yield from _evidence(hint.evidence, 4)


def _entry(e: EntryAccount) -> Iterator[RenderableType]:
    role = f" {e.role}" if e.role else ""
    counted = f"counts {clock(e.counted)} of {clock(e.logged)}" if e.logged else e.state
    yield _line(f"{e.entry_id}{role}: {counted}", 1, "green" if e.counted else "yellow")
    yield _line(e.sentence, 2)
    for part in e.excluded:
        yield _line(f"not counted, {part.reason}: {part.sentence}", 2, "yellow")
        yield _line(_named(part.rules), 3)
        yield from _evidence(part.evidence, 3)
    for revision in e.revisions:
        by = f", by {revision.by.source}  {revision.by.id}" if revision.by else ""
        said = revision.event
        yield _line(f"{revision.state}: {said.type}  {said.source}  {said.id}{by}", 2, "dim")


def _ladder(ladder: Ladder) -> Iterator[RenderableType]:
    offered = "offered" if ladder.offered else "not offered"
    pool = f", {clock(ladder.seconds)} of {ladder.pool} time" if ladder.pool else ""
    yield _line(f"{ladder.family}: {offered}{pool}", 1, "green" if ladder.offered else "")
    for step in ladder.steps:
        goal = f"{step.code} unit {step.unit} at {clock(step.threshold_seconds)}"
        if step.reached_on is not None:
            got = f"reached on {step.reached_on} with entry {step.reached_by}"
            yield _line(f"{goal}: {got} ({step.pool_seconds} s)", 2)
        else:
            yield _line(f"{goal}: {step.seconds_to_go} s to go", 2)
    for obstacle in ladder.obstacles:
        rules = f" [{_named(obstacle.rules)}]" if obstacle.rules else ""
        yield _line(f"{obstacle.identifier}: {obstacle.sentence}{rules}", 2, "yellow")
        yield from _evidence(obstacle.evidence, 3)


def _option(o: OptionAccount) -> Iterator[RenderableType]:
    place = "selected" if o.selected else "legal as well" if o.legal else "only if nothing blocked"
    amount = f"{o.payment.amount} {o.payment.currency}" if o.payment else "no amount"
    style = "bold green" if o.selected else ""
    yield _line(f"{o.family}, {place}: {codes(o.codes)} = {amount}", 1, style)
    yield _line(f"date of service {o.date_of_service}: {o.date_sentence}", 2)
    if o.payment:
        yield _line(f"basis {o.payment.basis}", 2)
    for line in o.lines:
        if line.work is None:
            yield _line(f"{line.code}: no amount, not known: {line.missing}", 2, "yellow")
            continue
        times = "" if line.units == 1 else f"; {line.units} units {line.amount}"
        yield _line(f"{line.code}: {line.work.sentence}{times}", 2)
    yield _line(_named(o.rules), 2)
    yield from _evidence(o.evidence, 2)


def _warnings(x: Explanation) -> Iterator[RenderableType]:
    for remark in x.remarks:
        yield _line(f"{remark.warning}: {remark.sentence}", 1, "yellow")
        yield _line(_named(remark.rules), 2)
        yield from _evidence(remark.evidence, 2)


def _services(x: Explanation) -> Iterator[RenderableType]:
    for service in x.services:
        yield _line(f"{service.sentence} [{service.rule.rule_id}]")
        yield from _evidence([service.evidence], 2)


def _rules(x: Explanation) -> Iterator[RenderableType]:
    for rule in cited_rules(x):
        yield _line(f"{rule.rule_id}, {days_in_force(rule)}")
        note = f": {rule.note}" if rule.note else ""
        yield _line(f"{rule.source} [{rule.confidence}]{note}", 2, "dim")


def _basis(x: Explanation) -> Iterator[RenderableType]:
    b = x.basis
    yield _line(f"rules {b.rules_version}  {b.rules_digest}")
    yield _line(f"rule book {b.book_digest}")
    imported = f", {b.fee_layers - 1} imported" if b.fee_layers > 1 else ", built in"
    yield _line(f"fees {b.fees_digest}{imported}")
    yield _line(f"stream version {x.assessment.stream_version}")
