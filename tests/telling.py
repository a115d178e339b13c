"""Explanations in words, one file a situation: `python -m tests.telling` writes them anew.

Whoever changes a sentence or a figure of an explanation sees there, line by line, what its reader
will see. Citations are named by rule; events by type, thing and day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from domain import facts as f
from domain.event import Event
from domain.explain import Explanation, explain
from domain.explain import explanation as parts
from tests.given import folded
from tests.situations import SITUATIONS, Situation

FOLDER = Path(__file__).parent / "data" / "explanations"


class Teller:
    """Tells an explanation line by line, events by what and when."""

    def __init__(self, situation: Situation) -> None:
        self.x: Explanation = explain(
            folded(situation.events), situation.month, situation.book, situation.policy
        )
        self._named = {one.key: _name(one) for one in situation.events}

    def lines(self) -> Iterator[str]:
        x = self.x
        answer = x.assessment
        yield f"{answer.month} {answer.status} {_codes(answer.codes)} {_dollars(answer.payment)}"
        for part in x.conditions:
            yield f"{'met' if part.met else 'UNMET'} {part.blocker}: {part.sentence}"
            yield from self._grounds(part.evidence, part.rules)
            for short in part.falls_short:
                yield f"    short: {self._event(short.event)}: {short.sentence}"
        for entry in x.entries:
            yield from self._entry(entry)
        for ladder in x.ladders:
            yield from self._ladder(ladder)
        for option in x.options:
            yield from self._option(option)
        if x.claim:
            yield f"claim {_codes(x.claim.codes)} {x.claim.submitted_on} as {x.claim.supported_as}"
            yield f"    {x.claim.sentence} <- {self._event(x.claim.evidence)}"
        for w in x.what_ifs:
            yield f"what if ({w.kind}) {w.sentence}"
            known = (w.by, w.seconds, *w.entry_ids, w.status, w.family, _codes(w.codes))
            shown = (*known, _dollars(w.payment), *w.blockers, _codes(w.offered), w.change)
            yield "    " + " ".join(str(value) for value in shown if value not in (None, ""))
        for remark in x.remarks:
            yield f"warning {remark.warning}: {remark.sentence}"
            yield from self._grounds(remark.evidence, remark.rules)
        for s in x.services:
            own = "own" if s.same_practitioner else "other"
            yield f"service {s.hcpcs} {s.first} {s.last} {own} {s.effect}: {s.sentence}"
            yield from self._grounds((s.evidence,), (s.rule,))

    def _event(self, ref: parts.EventRef) -> str:
        return self._named[ref.source, ref.id] + (f" ({ref.type})" if "." not in ref.type else "")

    def _grounds(
        self, events: Iterable[parts.EventRef], rules: Iterable[parts.CitedRule]
    ) -> Iterator[str]:
        evidence = ", ".join(self._event(ref) for ref in events)
        if evidence:
            yield f"    <- {evidence}"
        named = " ".join(rule.rule_id for rule in rules)
        if named:
            yield f"    by {named}"

    def _entry(self, e: parts.EntryAccount) -> Iterator[str]:
        yield f"entry {e.entry_id} {e.state} {e.role} {e.counted}/{e.logged}: {e.sentence}"
        yield from self._grounds((e.stands,) if e.stands else (), e.rules)
        for r in e.revisions:
            by = f" by {self._event(r.by)}" if r.by else ""
            yield f"    revision {self._event(r.event)}: {r.state}{by}"
        for part in e.excluded:
            yield f"    excluded {part.reason} {part.seconds}: {part.sentence}"
            yield from self._grounds(part.evidence, part.rules)

    def _ladder(self, ladder: parts.Ladder) -> Iterator[str]:
        offered = "offered" if ladder.offered else "not offered"
        yield f"ladder {ladder.family} {offered} {ladder.pool} {ladder.seconds}"
        yield from self._grounds((), ladder.rules)
        for s in ladder.steps:
            at = f"{s.reached_on} {s.reached_by} {s.pool_seconds}"
            yield (
                f"    {s.code} {s.unit} at {s.threshold_seconds}: {at}, {s.seconds_to_go} to go, "
                f"by {s.rule.rule_id}"
            )
        for obstacle in ladder.obstacles:
            yield f"    obstacle {obstacle.identifier}: {obstacle.sentence}"
            yield from self._grounds(obstacle.evidence, obstacle.rules)

    def _option(self, o: parts.OptionAccount) -> Iterator[str]:
        marks = ("legal" if o.legal else "earned") + (" selected" if o.selected else "")
        yield f"option {o.family} {marks} {_codes(o.codes)} {_dollars(o.payment)}"
        yield f"    {o.date_of_service}: {o.date_sentence}"
        yield from self._grounds(o.evidence, o.rules)
        for line in o.lines:
            yield f"    {line.code} x{line.units}: {line.unit_amount} {line.amount} {line.missing}"
            if line.work:
                w = line.work
                figures = (w.work, w.pe, w.mp, w.gpci_work, w.gpci_pe, w.gpci_mp, w.factor)
                known = (*figures, w.priced, w.full_amount, w.share, *("import" for _ in w.imports))
                yield "        " + " ".join(str(value) for value in known)
                yield f"        {w.sentence}"


def _name(one: Event) -> str:
    """What and when; the entry where it is about one."""
    kind = type(one.fact).__name__
    about = getattr(one.fact, "entry_id", None) or getattr(one.fact, "code", None)
    on = datetime.fromtimestamp(one.time, UTC).date()
    return f"{kind} {about} of {on}" if about else f"{kind} of {on}"


def _codes(codes: Iterable[f.CodeUnits]) -> str:
    return "+".join(f"{line.code}x{line.units}" for line in codes)


def _dollars(payment: parts.Payment | None) -> str:
    if payment is None:
        return "-"
    basis = payment.basis.partition("+")
    return f"{payment.amount} {basis[0]}{'+import' if basis[1] else ''}"


def told(name: str) -> str:
    """The explanation of a situation in words."""
    return "\n".join(Teller(SITUATIONS[name]()).lines()) + "\n"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SITUATIONS:
        (FOLDER / f"{name}.txt").write_text(told(name), encoding="utf-8")


if __name__ == "__main__":
    main()
