"""The packet's page for people: one HTML file that prints well and fetches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from domain.explain.explanation import EventRef
from domain.explain.wording import clock, codes
from domain.facts import (
    CarePlanRecorded,
    ComplexityAssessed,
    ConditionRecorded,
    ConditionResolved,
    ConsentRecorded,
    ConsentRevoked,
    Fact,
    PatientEnrolled,
    VisitRecorded,
)
from domain.rules.services import ServiceRule
from services.audit.amounts import Amount, amount_of, minus, service_day, supported_amount
from services.audit.packet.evidence import Evidence
from services.audit.packet.itemised import TimeRow, time_rows
from services.audit.telling import Told
from services.audit.words import dollars
from services.explain.sources import cited_rules, days_in_force
from services.explain.text import UNPRINTABLE

RECORDS: tuple[tuple[str, tuple[type[Fact], ...]], ...] = (
    ("Enrolment and billing practitioner", (PatientEnrolled,)),
    ("Consent", (ConsentRecorded, ConsentRevoked)),
    ("Initiating and other visits", (VisitRecorded,)),
    ("Chronic conditions", (ConditionRecorded, ConditionResolved)),
    ("Care plan", (CarePlanRecorded,)),
    ("Medical decision making of the month", (ComplexityAssessed,)),
)
"""What is on record for eligibility, in the order in which a reviewer asks for it."""


def page(evidence: Evidence) -> bytes:
    """The page in UTF-8."""
    return _template().render(_content(evidence)).encode("utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("services.audit.packet", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"clock": clock, "codes": codes, "css": css_text}
    return environment.get_template("page.html")


def _printable(value: Any) -> Any:
    """Identifiers come from outside: what could turn or hide a line is shown as U+FFFD."""
    return UNPRINTABLE.sub("\ufffd", value) if type(value) is str else value


def css_text(text: str) -> str:
    """Text inside a quoted CSS string, whatever is in it."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)


def _content(evidence: Evidence) -> dict[str, Any]:
    x, answer = evidence.explained, evidence.answer
    rows = time_rows(evidence)
    last = evidence.history.stored[-1]
    return {
        "x": x,
        "answer": answer,
        "span": evidence.context.span,
        "policy": evidence.policy,
        "last": evidence.told[evidence.history.events[-1].key],
        "version": last.version,
        "claim": _claim(evidence),
        "amount": _amount(evidence),
        "evidence_of": lambda refs: _told(evidence, refs),
        "records": _records(evidence),
        "rows": rows,
        "roles": _roles(rows),
        "services_asked": [_asked(rule) for rule in evidence.context.rules.services],
        "stays": [_of(evidence, event.key) for event in evidence.context.chart.stays],
        "corrections": list(_corrections(evidence)),
        "cited": [(rule, days_in_force(rule)) for rule in cited_rules(x)],
        "bearing": [evidence.told[event.key] for event in evidence.bearing],
        "documents": _documents(evidence),
    }


def _of(evidence: Evidence, key: tuple[str, str]) -> Told:
    return evidence.told[key]


def _told(evidence: Evidence, refs: Iterable[EventRef]) -> list[Told]:
    return [evidence.told[ref.source, ref.id] for ref in refs]


def _amount(evidence: Evidence) -> str:
    """The selected codes' dollars with their basis, or why there are none."""
    answer = evidence.answer
    if not answer.codes:
        return "no code is supported, so there is no amount"
    if answer.payment is not None:
        return f"{answer.payment.amount} {answer.payment.currency} ({answer.payment.basis})"
    found = next(option for option in evidence.explained.options if option.selected)
    missing = [f"{line.code}: {line.missing}" for line in found.lines if line.missing]
    return f"amount not known: {'; '.join(missing)}"


def _claim(evidence: Evidence) -> dict[str, Any] | None:
    account = evidence.explained.claim
    if account is None:
        return None
    on, fees = service_day(evidence.answer), evidence.book.fees
    claimed = amount_of(evidence.context, fees, account.codes, on)
    stake = minus(claimed, supported_amount(evidence.context, fees, evidence.answer))
    told = _told(evidence, [account.evidence])[0]
    return {"account": account, "event": told, "amount": dollars(claimed), "stake": _stake(stake)}


def _stake(stake: Amount) -> str:
    """How the claim compares in dollars, where both amounts are known and differ."""
    if not stake.dollars:
        return ""
    side = "more" if stake.dollars > 0 else "less"
    return f"{abs(stake.dollars)} USD {side} than the record supports"


def _records(evidence: Evidence) -> list[tuple[str, list[tuple[Told, str]]]]:
    """By title, what was recorded that bears on eligibility, and whether it still stands."""
    found = []
    for title, kinds in RECORDS:
        events = [
            event
            for event in sorted(evidence.bearing, key=lambda event: event.order)
            if isinstance(event.fact, kinds)
            and getattr(event.fact, "month", evidence.answer.month) == evidence.answer.month
        ]
        withdrawn = evidence.patient.withdrawn
        found.append(
            (
                title,
                [(evidence.told[e.key], "withdrawn" if e.key in withdrawn else "") for e in events],
            )
        )
    return found


def _roles(rows: Iterable[TimeRow]) -> list[tuple[str, int, int, int]]:
    """(role, logged, counted, excluded seconds) of the entries that stand."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row.state == "standing":
            sums = found.setdefault(row.role, [0, 0, 0])
            for place, seconds in enumerate(
                (row.logged_seconds, row.counted_seconds, row.excluded_seconds)
            ):
                sums[place] += seconds
    return [(role, *sums) for role, sums in sorted(found.items())]  # type: ignore[misc]


def _asked(rule: ServiceRule) -> tuple[str, str, str, str]:
    whose = {"same": "the billing practitioner", "other": "another practitioner", "any": "anyone"}
    return (rule.rule_id, rule.effect, whose[rule.who], _ranges(sorted(rule.codes)))


def _ranges(found: list[str]) -> str:
    """Codes in order; a run of numbers by its ends."""
    runs: list[list[str]] = []
    for code in found:
        follows = runs and code.isdigit() and runs[-1][-1].isdigit()
        if follows and int(code) == int(runs[-1][-1]) + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _corrections(evidence: Evidence) -> Iterator[tuple[Told, str]]:
    """What was corrected and what corrected it, in the order of the log, with what became of it."""
    said: dict[tuple[str, str], str] = {}
    for account in evidence.explained.entries:
        if len(account.revisions) > 1 or account.state != "standing":
            for revision in account.revisions:
                by = f" by {revision.by.id}" if revision.by else ""
                said[revision.event.source, revision.event.id] = revision.state + by
    for event in evidence.bearing:
        told = evidence.told[event.key]
        if event.key in said:
            yield told, said[event.key]
        elif told.reason is not None:
            yield told, "withdrawn" if event.key in evidence.patient.withdrawn else "in force"


def _documents(evidence: Evidence) -> list[str]:
    """Documents that the care plan's events point to."""
    facts = (event.fact for event in evidence.bearing)
    plans = (fact for fact in facts if isinstance(fact, CarePlanRecorded) and fact.document)
    return sorted({str(plan.document) for plan in plans})
