"""Whether logged minutes are told by their resource: read anew, without our reader."""

from __future__ import annotations

from datetime import datetime
from typing import Any

PERIODS = {"Task": ("executionPeriod",), "Encounter": ("period", "actualPeriod")}
UNITS = {"s": 1, "min": 60, "h": 3600}


def invented(resource: Any, data: dict[str, Any], profile: dict[str, Any]) -> str:
    """What is wrong with a time entry of this resource, '' where nothing is.

    Both ends must be the resource's own, to the character; fewer seconds than lie between them
    only by its `length`. The profile must name one of its codes.
    """
    kind = resource.get("resourceType")
    if kind not in PERIODS:
        return f"minutes of a {kind}"
    if data.get("entry_id") != f"{kind}/{resource.get('id')}":
        return "an entry of another resource"
    named = profile["time"].get("tasks" if kind == "Task" else "encounters", {})
    if not codes(resource) & set(named):
        return "minutes of a resource whose codes the profile does not name"
    period = next((resource[name] for name in PERIODS[kind] if resource.get(name)), {})
    start, end = period.get("start"), period.get("end")
    if "seconds" not in data:
        same = (data["started_at"], data["ended_at"]) == (start, end)
        return "" if same else "other instants than the resource's"
    between = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    length = resource.get("length") or {}
    unit = UNITS.get(length.get("code") or length.get("unit"), 0)
    told = int(length.get("value", 0) * unit)
    return (
        "" if data["seconds"] == told < between.total_seconds() else "other seconds than `length`"
    )


def codes(resource: Any) -> set[str]:
    """`system|code` of everything in code, class and type."""
    found: set[str] = set()
    level = [resource.get(name) for name in ("code", "class", "type")]
    while level:
        value = level.pop()
        if isinstance(value, list):
            level += value
        elif isinstance(value, dict):
            if isinstance(value.get("code"), str):
                found.add(f"{value.get('system') or ''}|{value['code']}")
            level += [inner for inner in value.values() if isinstance(inner, dict | list)]
    return found
