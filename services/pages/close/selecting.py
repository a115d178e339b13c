"""What a person selected on the page, checked against what the months say now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.facts import Month
from projections.ports import Store
from services.pages.ids import id_of, part
from services.views.months import Row, rows

SELECTED_MAX: Final = 5_000
"""Months in one act: one transaction takes them all or none."""

CHANGED: Final = "changed since the page was shown"
GONE: Final = "has nothing to bill any more"


@dataclass(frozen=True, slots=True)
class Selected:
    """A patient's month as it was shown."""

    patient_id: str
    mark: str

    @property
    def text(self) -> str:
        """As a checkbox carries it."""
        return f"{part(self.patient_id)}:{self.mark}"


class BadSelection(ValueError):
    """What was sent is no selection of ours; the message is for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A month that cannot be taken as selected, and why."""

    patient_id: str
    why: str


class Stale(Exception):
    """Some months are not as they were shown: nothing was done with any."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(f"{len(refused)} months are not as they were shown")
        self.refused = tuple(refused)


def selection(texts: Iterable[str]) -> tuple[Selected, ...]:
    """Each patient once, in the order given. Raises BadSelection."""
    found: dict[str, Selected] = {}
    for text in texts:
        patient, colon, mark = text.rpartition(":")
        if not colon or not patient or not mark.isalnum():
            raise BadSelection(f"select: expected a month of the page; found {text[:60]!r}.")
        one = Selected(id_of(patient), mark)
        if found.setdefault(one.patient_id, one) != one:
            raise BadSelection(f"select: expected {one.patient_id!r} once; found it twice.")
    if not found:
        raise BadSelection("Select at least one month.")
    if len(found) > SELECTED_MAX:
        raise BadSelection(f"Select at most {SELECTED_MAX} months at once; found {len(found)}.")
    return tuple(found.values())


def current_rows(
    store: Store, now: int, practice: str, month: Month, selected: Sequence[Selected]
) -> Mapping[str, Row]:
    """The selected months as they stand, by patient, read at one moment."""
    wanted = {one.patient_id for one in selected}
    found = rows(store, now, practice, month)
    return {row.patient_id: row for row in found if row.patient_id in wanted}


def changed(selected: Iterable[Selected], now: Mapping[str, Row]) -> list[Refused]:
    """Which of the selected months say something else now."""
    refused = []
    for one in selected:
        row = now.get(one.patient_id)
        if row is None:
            refused.append(Refused(one.patient_id, GONE))
        elif row.mark != one.mark:
            refused.append(Refused(one.patient_id, f"{CHANGED}; it is {row.status} now"))
    return refused
