"""Stored transitions of a patient beside those decided anew: what is missing, too much or other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from domain.alerts import BILLED_IN_OPERATOR, AlertType
from infra.eventstore.bypatient import MOVED, MovedRow

_ALERT, _MONTH, _TYPE, _CODE, _NUMBER, _BODY = (
    MOVED.index(column) for column in ("alert_id", "month", "type", "code", "transition", "body")
)
_TYPES: Final = frozenset(type.value for type in AlertType)


def crosses(row: MovedRow) -> bool:
    """Whether it took more than the patient's own events to decide on it; a row of no type of
    ours is left over."""
    type = row[_TYPE]
    return type == AlertType.STAFF_OVERLAP or (row[_CODE] == BILLED_IN_OPERATOR and type in _TYPES)


def differing(
    stored: Sequence[MovedRow], decided: Sequence[MovedRow]
) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Kind, month, alert with its number, and members of whatever is not the same.

    Both are in the order in which they were decided and compared by identity and number.
    """
    old = {(row[_ALERT], row[_NUMBER]): row for row in stored}
    new = {(row[_ALERT], row[_NUMBER]): row for row in decided}
    odd = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    for key in sorted(odd):
        before, after = old.get(key), new.get(key)
        row = before or after
        assert row is not None
        kind = "missing" if before is None else "left-over" if after is None else "different"
        members = _members(before, after) if before and after else ()
        yield kind, row[_MONTH], f"{key[0]}.{key[1]}", members
    if not odd:
        yield "different", (*stored, *decided)[0][_MONTH], "", ("order",)


def _members(before: MovedRow, after: MovedRow) -> tuple[str, ...]:
    try:
        old = json.loads(before[_BODY])
    except ValueError:
        return ("body",)
    new = json.loads(after[_BODY])
    if not isinstance(old, dict):
        return ("body",)
    return tuple(n for n in {**new, **old} if old.get(n) != new.get(n)) or ("row",)
