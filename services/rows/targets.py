"""Which members of the contract's events a column can be mapped to, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from services.rows import formats
from services.wire.complaints import expectation
from services.wire.models import DATA_OF_TYPE
from services.wire.scalars import DAY, INSTANT, MARK, MONTH, SECONDS

_NOT_MAPPABLE: Final = {
    "time.amended.v1",  # a changed row is one already
    "time.voided.v1",
    "event.retracted.v1",
    "month.claimed.v1",  # has a list of codes
}
MAPPABLE: Final = tuple(sorted(set(DATA_OF_TYPE) - _NOT_MAPPABLE))
LOGGED: Final = "time.logged.v1"
_NAMED_BY_US: Final = {"entry_id"}
_CLOCKED, _UNCLOCKED = ("started_at", "ended_at"), ("performed_on", "seconds")

_READ_AS: Final = {DAY: "date", MONTH: "date", INSTANT: "instant", SECONDS: "duration"}
"""By the words of a member's type: how a mapping must say that its text is read."""


class Target(NamedTuple):
    """A member by its path: whether events need it, and in words what it takes."""

    required: bool
    expected: str

    @property
    def is_month(self) -> bool:
        return self.expected == MONTH


@lru_cache(maxsize=64)
def targets_of(type: str) -> dict[str, Target]:
    """Members by dotted path, such as `performer.id`."""
    return dict(_walk(DATA_OF_TYPE[type], ""))


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, Target]]:
    for name, info in model.model_fields.items():
        wire_name = info.alias or name
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _walk(inner, f"{prefix}{wire_name}.")
        elif wire_name not in _NAMED_BY_US:
            expected = expectation(model, (wire_name,))
            yield f"{prefix}{wire_name}", Target(info.is_required(), expected)


def faults_of(type: str, members: Mapping[str, Any]) -> list[str]:
    """What is wrong with the members that a mapping gives an event, one sentence each."""
    targets = targets_of(type)
    unknown = [
        f"members.{path}: not a member of {type} that can be mapped; expected "
        f"{', '.join(sorted(targets))}"
        for path in members
        if path not in targets
    ]
    needed = {path for path, target in targets.items() if target.required}
    lacking = [f"members.{path} is missing" for path in sorted(needed - set(members))]
    if type == LOGGED:
        lacking += _work_fault(set(members))
    unread = [
        fault
        for path, member in members.items()
        if path in targets and (fault := _reading_fault(path, member, targets[path]))
    ]
    return unknown + lacking + unread


def _work_fault(given: set[str]) -> list[str]:
    clocked, unclocked = given & set(_CLOCKED), given & set(_UNCLOCKED)
    if (len(clocked), len(unclocked)) in ((2, 0), (0, 2)):
        return []
    return ["members: expected started_at and ended_at, or performed_on and seconds"]


def _reading_fault(path: str, member: Any, target: Target) -> str:
    """Why a member cannot come out as what the contract expects; '' where it can."""
    values = [member.value] if member.value is not None else list(member.values.values())
    if target.expected == MARK:
        if not values or any(type(each) is not bool for each in values):
            return f"members.{path}: expected values that are true or false"
        return ""
    if any(type(each) is bool for each in values):
        return f"members.{path}: expected {target.expected}"
    wanted = _READ_AS.get(target.expected)
    given = [name for name in ("date", "instant", "duration") if getattr(member, name) is not None]
    if wanted is None and given:
        return f"members.{path}: {given[0]} is not how {target.expected} is read"
    if wanted is not None and given != [wanted] and (wanted == "duration" or not values):
        return f"members.{path}: expected {wanted}, by which it is read"
    if wanted == "date" and not target.is_month:
        forms = [member.date] if isinstance(member.date, str) else member.date or []
        for form in forms:
            if not formats.is_day_form(form):
                return f"members.{path}: date: {form!r} does not say year, month and day"
    return ""
