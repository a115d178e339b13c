"""The audit's answers in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.explain.wording import codes
from services.audit.difference import Difference, Effect, Worth, worth
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
