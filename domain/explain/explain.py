"""The reasons behind a month's answer, from the same context and counting as the answer itself."""

from __future__ import annotations

from collections.abc import Iterator

from domain.assess.assessment import Assessment
from domain.assess.context import MonthContext, month_context
from domain.assess.counting import count, standing_entries
from domain.assess.reckoning import entries_of
from domain.explain.conditions import conditions
from domain.explain.explanation import Basis, EntryAccount, Explanation, WhatIf
from domain.explain.hypothesis import Hypotheses
from domain.explain.ladders import ladders
from domain.explain.offers import option_accounts
from domain.explain.remarks import Examined, remarks
from domain.explain.remedies import remedies
from domain.explain.surroundings import claim_account, other_services
from domain.explain.timechanges import corrected_claim, decision_making, less_time, more_time
from domain.explain.timekeeping import accounts
from domain.facts import Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules.book import RuleBook


def explain(patient: Patient, month: Month, book: RuleBook, policy: Policy) -> Explanation:
    """Explain one patient-month: the answer of `assess` with everything that led to it.

    Pure; the patient is not changed. `what_ifs` are found by assessing other histories.
    """
    hypotheses = Hypotheses(patient, month, book, policy)
    answer, context = hypotheses.now, month_context(patient, month, book, policy)
    x = _examined(patient, context, answer)
    kept = accounts(patient, context, x.tally)
    return Explanation(
        assessment=answer,
        conditions=conditions(context),
        entries=kept,
        ladders=ladders(context, x.tally, list(x.entries), answer.options),
        options=option_accounts(context, answer, book.fees),
        claim=claim_account(context, answer),
        what_ifs=tuple(_what_ifs(hypotheses, context, kept)),
        remarks=remarks(x, answer.warnings, book.fees),
        services=other_services(context),
        basis=_basis(answer, book),
    )


def _examined(patient: Patient, context: MonthContext, answer: Assessment) -> Examined:
    entries = tuple(entries_of(patient, context))
    tally = count(context, *standing_entries(entries))
    return Examined(context, tally, entries, answer.options, answer.earned)


def _what_ifs(
    h: Hypotheses, context: MonthContext, kept: tuple[EntryAccount, ...]
) -> Iterator[WhatIf]:
    """What is missing first, then what more would bring, then what the answer hangs on."""
    yield from remedies(h, context)
    yield from more_time(h, context)
    yield from decision_making(h, context)
    yield from corrected_claim(h)
    yield from less_time(h, kept)


def _basis(answer: Assessment, book: RuleBook) -> Basis:
    return Basis(
        rules_version=answer.rules.version,
        rules_digest=answer.rules.digest,
        book_digest=book.digest,
        fees_digest="sha256:" + book.fees.digest,
        fee_layers=len(book.fees.layers),
    )
