"""The audit's answers in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from domain.explain.wording import codes, several
from services.audit.amounts import Amount
from services.audit.claims import Item, Kind
from services.audit.difference import Difference, Effect, Worth, worth
from services.audit.supposing import Sum, Supposition
from services.audit.telling import Told


def difference_lines(found: Difference, from_text: str, to_text: str) -> Iterator[str]:
    """Both answers, what made the difference, and what made none."""
    after = found.after
    yield f"{after.practice_id} / {after.patient_id}   {after.month}"
    if found.before is None:
        yield f"{from_text}  nothing was known of the patient"
    else:
        yield f"{from_text}  {_known(worth(found.before), found.before.stream_version)}"
    yield f"{to_text}  {_known(worth(after), after.stream_version)}"
    yield f"changed: {', '.join(found.changed)}" if found.changed else "the answer is the same"
    made = [effect for effect in found.effects if effect.made_difference]
    rest = [effect for effect in found.effects if not effect.made_difference]
    yield from _listed("Made the difference", made)
    yield from _listed("Recorded as well, without effect on this month", rest)
    if not found.effects:
        yield "no event was recorded between the two instants"


def came_to(worth: Worth) -> str:
    """`billable 99490 61.32 USD`: what a month comes to."""
    if not worth.codes:
        return worth.status
    paid = worth.payment
    amount = f"{paid.amount} {paid.currency}" if paid else "amount not known"
    return f"{worth.status} {codes(worth.codes)} {amount}"


def _known(worth: Worth, events: int) -> str:
    return f"{came_to(worth)}   ({events} events known)"


def _listed(title: str, effects: Iterable[Effect]) -> Iterator[str]:
    effects = list(effects)
    if effects:
        yield ""
        yield title
    for effect in effects:
        yield from event_lines(effect.event)
        yield from _effect(effect)


def event_lines(event: Told) -> Iterator[str]:
    """What, who, when, why."""
    yield f"    {event.type}  {event.about}"
    by = [f"{event.performer} ({event.role})" if event.performer else "", event.npi or ""]
    by.append(f"entered by {event.by}" if event.by else "")
    who = ", ".join(part for part in by if part)
    yield f"        who   {who + ', told by ' if who else ''}{event.source}  {event.id}"
    yield f"        when  said {event.time}, recorded {event.recorded_at or 'at no known time'}"
    if event.reason is not None:
        yield f"        why   {event.reason}"


def _effect(effect: Effect) -> Iterator[str]:
    if effect.changed:
        turned = (came_to(effect.before), came_to(effect.after))
        into = f"{turned[0]} -> {turned[1]}: " if turned[0] != turned[1] else ""
        yield f"        did   {into}{', '.join(effect.changed)}"
    if effect.decisive and effect.decisive != effect.changed:
        yield f"        without it now other: {', '.join(effect.decisive)}"
    elif effect.made_difference and not effect.decisive:
        yield "        the later answer does not hang on it"


TITLES = {
    Kind.DIVERGED: "Claims no longer supported as claimed",
    Kind.LATE: "Claims supported, with time said after them",
    Kind.REOPENED: "Claims taken back and not made anew",
    Kind.UNCLAIMED: "Earned and never claimed",
}


def claim_lines(items: list[Item]) -> Iterator[str]:
    """The worklist in the order of urgency, each kind with its sum."""
    if not items:
        yield "every claim is supported, and every month that earned a code is claimed"
    for kind, title in TITLES.items():
        of_kind = [item for item in items if item.kind is kind]
        if of_kind:
            yield f"{title}: {several(len(of_kind), 'month')}, {_sum(of_kind)}"
            for item in of_kind:
                yield from _item(item) if item.claim else _open(item)
            yield ""


def _sum(items: Iterable[Item]) -> str:
    known = [item.at_stake.dollars for item in items if item.at_stake.dollars is not None]
    unknown = sum(item.at_stake.dollars is None for item in items)
    more = f", {several(unknown, 'amount')} not known" if unknown else ""
    return f"{sum(known, Decimal('0.00'))} USD at stake{more}"


def _open(item: Item) -> Iterator[str]:
    what = f"{codes(item.supported.codes)}, {dollars(item.supported.amount)}"
    yield f"    {item.practice_id} / {item.patient_id}   {item.month}   {what}"


def _item(item: Item) -> Iterator[str]:
    claim = item.claim
    assert claim is not None
    yield f"    {item.practice_id} / {item.patient_id}   {item.month}"
    what = f"{codes(claim.codes)}, {dollars(claim.amount)}"
    yield f"        claimed    {what}: claim {claim.claim_id} of {claim.submitted_on}"
    supported = item.supported
    blocked = f": {', '.join(item.blockers)}" if item.blockers else ""
    amount = f", {dollars(supported.amount)}" if supported.codes else blocked
    yield f"        supported  {codes(supported.codes)}{amount}"
    yield f"        at stake   {dollars(item.at_stake)}"
    if item.first_known is not None:
        again = item.diverged_since != item.first_known
        since = f", without a break since {item.diverged_since}" if again else ""
        by = f"; return by {item.deadline}" if item.deadline else "; nothing was paid too much"
        yield f"        known      {item.first_known}{since}{by}"
    for event in item.late:
        yield f"        late       {event.about}; said {event.time}, {event.source}  {event.id}"


def dollars(amount: Amount) -> str:
    """An amount, or why there is none."""
    if amount.dollars is None:
        return f"amount not known ({amount.missing})"
    return f"{amount.dollars} USD"


def supposition_lines(supposed: Supposition, year: int) -> Iterator[str]:
    """The totals, then each group of reasons with its codes and dollars."""
    total = supposed.all
    yield (
        f"{year}: {several(supposed.patients, 'patient')}, {several(total.months, 'month')} "
        f"assessed twice, {supposed.changed:,} would change"
    )
    yield f"    {total.dollars_before} USD -> {total.dollars_after} USD ({total.dollars:+})"
    yield from _besides(total)
    for reasons, group in supposed.by_dollars():
        yield ""
        yield f"{'; '.join(reasons)}: {several(group.months, 'month')}, {group.dollars:+} USD"
        yield f"    {_units(group.units_before)} -> {_units(group.units_after)}"
        yield from _besides(group)


def _besides(found: Sum) -> Iterator[str]:
    if found.unpriced:
        yield f"    {several(found.unpriced, 'month')} in no sum: a fee is not known"
    if found.claims_diverging:
        yield f"    {several(found.claims_diverging, 'claim')} would no longer be supported"


def _units(units: Mapping[str, int]) -> str:
    said = " + ".join(f"{code} x{count:,}" for code, count in sorted(units.items()) if count)
    return said or "no code"
