"""One row to drafts of events, by the mapping of its table."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from domain.rejections import Reason, Rejection
from services.rows.cells import Cells, cell, day, exact, filled, instant, seconds
from services.rows.mapping import EventRow, Member, Rows, TableMapping, listed
from services.rows.targets import LOGGED
from services.translate.outcome import Draft, Ignore, Review
from services.wire.refusal import quoted

NOT_SELECTED: Final = "not-selected"
"""A row that `only` or `skip` leaves out: nothing that it once said stands."""


def drafts_of(cells: Cells, rows: Rows, mapping: TableMapping, name: str) -> list[Draft]:
    """The events of a row; `name` is the row's and becomes the id of its time entry. Raises
    `Review`, and `Ignore` for a row that is left out."""
    if not is_selected(cells, rows):
        raise Ignore(NOT_SELECTED)
    drafts = []
    for part, event in rows.parts():
        if all(cell(cells, column) for column in event.when_filled):
            data = _data(cells, event, mapping)
            if event.type == LOGGED:
                data["entry_id"] = name if part == "time.logged" else f"{name}/{part}"
            drafts.append(Draft(part, event.type, data))
    if not drafts:
        raise Ignore("nothing-filled")
    return drafts


def is_selected(cells: Cells, rows: Rows) -> bool:
    """Whether the mapping takes this row. Raises `Review` where a column is not there."""
    wanted = all(cell(cells, column) in texts for column, texts in rows.only.items())
    return wanted and not any(cell(cells, column) in texts for column, texts in rows.skip.items())


def _data(cells: Cells, event: EventRow, mapping: TableMapping) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for path, member in event.members.items():
        value = _value(cells, path, member, event, mapping)
        if value is None:
            continue
        into = data
        *outer, last = path.split(".")
        for name in outer:
            into = into.setdefault(name, {})
        into[last] = value
    return data


def _value(
    cells: Cells, path: str, member: Member, event: EventRow, mapping: TableMapping
) -> str | bool | int | None:
    if member.value is not None:
        return member.value
    column = ", ".join(member.sources)
    texts = [cell(cells, each) for each in member.sources]
    if not any(texts) and member.optional:
        return None
    for each, text in zip(member.sources, texts, strict=True):
        if not text and "" not in member.values:
            filled(cells, each)
    text = " ".join(texts)
    if member.values:
        return _listed(text, column, member)
    if member.duration is not None:
        return seconds(text, column, member.duration, mapping.sheet)
    if member.date is not None:
        found = day(text, column, listed(member.date)).isoformat()
        return found[:7] if event.targets[path].is_month else found
    if member.instant is not None:
        return written(instant(text, column, listed(member.instant), mapping.timezone))
    return exact(text, column)


def _listed(text: str, column: str, member: Member) -> str | bool:
    if text not in member.values:
        known = ", ".join(quoted(each) for each in list(member.values)[:12])
        sentence = f"expected one of those that the mapping lists ({known}); found {quoted(text)}"
        raise Review(Reason.UNMAPPED_CODE, column, sentence)
    return member.values[text]


def written(at: datetime) -> str:
    """An instant as events have it, to the second."""
    return at.replace(microsecond=0).isoformat()


def by_column(rejection: Rejection, rows: Rows) -> Rejection:
    """A refusal of an event's member as one of the column that it came from."""
    path = rejection.field.removeprefix("data.")
    for event in rows.events:
        member = event.members.get(path)
        if member is not None and member.sources:
            column = ", ".join(member.sources)
            return Rejection(rejection.reason, f"{column}: {rejection.sentence}", column)
    return rejection
