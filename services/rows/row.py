"""One row as its door read it, and the name that it has for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.rejections import Reason
from services.rows.cells import Cells, exact, filled
from services.rows.mapping import Rows, TableMapping
from services.translate.outcome import Review
from services.translate.stamping import digest_of

NAME_CHARS_MAX = 120
"""Of a row's name; a longer one is told by its digest, for it becomes part of event ids."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table. `at` is when its source recorded it, as an instant, '' where nobody says;
    `position` digits that are greater in what the source wrote later, '' where there is none."""

    mapping: TableMapping
    rows: Rows
    cells: Cells
    table: str = ""
    at: str = ""
    position: str = ""
    read: bool = False
    """Read in a snapshot, which is dated by the reading and not by a change."""
    gone: bool = False
    """The row was deleted; the cells are what is left of it."""
    keeps: bool = False
    """Whether it is kept in mind that a row says nothing of ours: for feeds whose messages may
    come in any order."""
    history: bool = False
    """What was there before the feed began: nobody is alerted by it."""
    file: str = ""
    """What names the file it came in, '' for a feed."""
    same_as: int = 0
    """The line of an earlier row of the file that has the same cells, 0 without one."""
    nth: int = 1
    """Of rows with the same cells."""

    @property
    def content(self) -> str:
        """A digest of the cells. Raises `Review`."""
        try:
            return digest_of(dict(self.cells))
        except (ValueError, OverflowError):
            sentence = "expected numbers that can be written down again; found others"
            raise Review(Reason.INVALID_MEMBER, "row", sentence) from None

    def name(self) -> str:
        """What the row is called, within its mapping's source. Raises `Review` without its key."""
        parts = [self.mapping.name, *filter(None, [self.table]), *self._key()]
        found = "/".join(parts)
        if len(found) <= NAME_CHARS_MAX and found.isprintable():
            return found
        return f"{self.mapping.name}/{digest_of(parts)[:32]}"

    def _key(self) -> list[str]:
        if self.rows.key:
            keyed = [exact(filled(self.cells, each), each) for each in self.rows.key]
            return [each.replace("%", "%25").replace("/", "%2F") for each in keyed]
        again = f"#{self.nth}" if self.nth > 1 else ""
        return [f"{self.content[:32]}{again}"]


def near(row: Row, data: dict[str, Any]) -> str:
    """The name of what may be the same work: the patient, the person, the day, what was done."""
    performer = data["performer"]["id"]
    on = data.get("performed_on") or data["started_at"][:10]
    patient = filled(row.cells, row.rows.patient.column)
    parts = [patient, performer, on, data["activity"]]
    return f"{row.mapping.name}/near/{digest_of(parts)[:32]}"
