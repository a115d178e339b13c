"""Which events are withdrawn. A retraction may itself be withdrawn; arrival order is irrelevant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.event import Event, EventKey
from domain.facts import EventRetracted


def target_of(retraction: Event) -> EventKey:
    """The key that the retraction names."""
    fact = retraction.fact
    assert isinstance(fact, EventRetracted)
    return (fact.event_source, fact.event_id)


def around(
    retraction: Event, naming: Mapping[EventKey, list[Event]], events: Mapping[EventKey, Event]
) -> list[Event]:
    """The retractions that can bear on what this one withdraws, itself among them: those that name
    it, what it names or each other. What the others withdraw has nothing to do with these.

    `naming` has retractions by the key that they name, `events` has them by their own.
    """
    found: dict[EventKey, Event] = {}
    waiting = [retraction]
    while waiting:
        each = waiting.pop()
        if each.key in found:
            continue
        found[each.key] = each
        target = target_of(each)
        waiting += naming.get(target, ())
        waiting += naming.get(each.key, ())
        under = events.get(target)
        if under is not None and isinstance(under.fact, EventRetracted):
            waiting.append(under)
    return list(found.values())


def withdrawn_keys(retractions: Sequence[Event]) -> frozenset[EventKey]:
    """Keys that a retraction in force names.

    A retraction that no undecided retraction names is in force, and what it names is not. Where
    retractions name each other in a circle, the one with the greatest `time`, `source`, `id` is
    taken to be in force: any fixed choice does, as long as arrival has no say.
    """
    undecided = {retraction.key: retraction for retraction in retractions}
    withdrawn: set[EventKey] = set()
    while undecided:
        named = {target_of(retraction) for retraction in undecided.values()}
        free = [key for key in undecided if key not in named]
        if not free:
            free = [max(undecided.values(), key=lambda retraction: retraction.order).key]
        for key in free:
            target = target_of(undecided.pop(key))
            withdrawn.add(target)
            undecided.pop(target, None)
    return frozenset(withdrawn)
