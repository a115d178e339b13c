"""The claim that stands on a month, beside what the facts support."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from domain.assess.assessment import Status
from domain.time.calendar import local_date
from infra.codec import instant_text
from services.audit.amounts import Amount, amount_of, minus, service_day, supported_amount
from services.audit.claims import RETURN_DAYS, SECOND_US
from services.audit.divergence import divergence
from services.audit.telling import Told
from services.pages.words import amount, money
from services.views.record import Known


@dataclass(frozen=True, slots=True)
class Claimed:
    """`at_stake` is what the claim is above what is supported, below zero where it is less.
    `known_since` and `deadline` are of a claim that is not supported as it was made: when the log
    first held that, and the last day to return what was paid too much."""

    sentence: str
    event: Told
    amount: Amount
    at_stake: Amount
    known_since: str | None
    deadline: date | None

    @property
    def key(self) -> str:
        return "claim"

    @property
    def says(self) -> str:
        since = f" Known since {self.known_since}." if self.known_since else ""
        return f"{self.event.about}, {amount(self.amount)}: {self.sentence}{since}"

    @property
    def stake(self) -> str:
        """How the claim compares in dollars; empty where it is the same."""
        found = self.at_stake.dollars
        if found is None:
            return f"the difference is not known ({self.at_stake.missing})"
        if not found:
            return ""
        return f"{money(abs(found))} {'more' if found > 0 else 'less'} than the record supports"


def claimed(known: Known) -> Claimed | None:
    """None where no claim stands."""
    account, answer = known.explained.claim, known.answer
    if account is None:
        return None
    fees, on = known.book.fees, service_day(answer)
    found = amount_of(known.context, fees, account.codes, on)
    stake = minus(found, supported_amount(known.context, fees, answer))
    first_us = _first_known(known) if answer.status is Status.DIVERGED else None
    overpaid = stake.dollars is None or stake.dollars > 0
    deadline = None
    if first_us is not None and overpaid:
        deadline = local_date(first_us // SECOND_US, known.context.timezone) + timedelta(
            RETURN_DAYS
        )
    return Claimed(
        sentence=account.sentence,
        event=known.told[account.evidence.source, account.evidence.id],
        amount=found,
        at_stake=stake,
        known_since=None if first_us is None else instant_text(first_us),
        deadline=deadline,
    )


def _first_known(known: Known) -> int | None:
    found = divergence(known.history, known.answer.month, known.book, known.policy)
    return found.first_us if found else None
