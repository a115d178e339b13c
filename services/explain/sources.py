"""Every rule that an explanation cites, once."""

from __future__ import annotations

from collections.abc import Iterator

from domain.explain.explanation import CitedRule, Explanation


def cited_rules(x: Explanation) -> list[CitedRule]:
    """By identifier and first day."""
    return sorted(set(_all(x)), key=lambda rule: (rule.rule_id, rule.first))


def days_in_force(rule: CitedRule) -> str:
    return f"from {rule.first} on" if rule.last is None else f"from {rule.first} to {rule.last}"


def _all(x: Explanation) -> Iterator[CitedRule]:
    for condition in x.conditions:
        yield from condition.rules
    for entry in x.entries:
        yield from entry.rules
        for part in entry.excluded:
            yield from part.rules
    for ladder in x.ladders:
        yield from ladder.rules
        yield from (step.rule for step in ladder.steps)
        for obstacle in ladder.obstacles:
            yield from obstacle.rules
    for option in x.options:
        yield from option.rules
    for remark in x.remarks:
        yield from remark.rules
    yield from (service.rule for service in x.services)
