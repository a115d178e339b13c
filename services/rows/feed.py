"""Rows of spreadsheets and databases into a batch: read, compared with what was taken, decoded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from domain.rejections import Reason, Rejection
from projections.translated import resource_key
from services.changes.envelope import row_of as row_of_change
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.rows.drafting import by_column
from services.rows.mapping import TableMapping
from services.rows.marks import CHANGE, SHEET
from services.rows.row import Row
from services.rows.taking import identity_of, take_row
from services.sheets.row import line_of
from services.sheets.row import row_of as row_of_sheet
from services.translate.feeds import add, decode_all
from services.translate.knowing import Knowing
from services.translate.outcome import Ignore, Review
from services.translate.stamping import digest_of
from services.wire.modes import HISTORY
from services.wire.refusal import Refused

log = logging.getLogger("caretally.rows")

Parts = Row | Ignore

_READ: Final[dict[str, Callable[[Delivery, TableMapping], Row]]] = {
    SHEET: row_of_sheet,
    CHANGE: row_of_change,
}


class RowsFeed:
    """Takes rows of one kind of table. Keeps nothing between batches."""

    def __init__(self, mark: str, mappings: Mapping[str, TableMapping]) -> None:
        """`mark` is the name of the first header of deliveries: `SHEET` or `CHANGE`."""
        self.mark = mark
        self._read = _READ[mark]
        self._mappings = mappings
        self._profiles = {name: digest_of(each.profile()) for name, each in mappings.items()}

    def unfold(self, delivery: Delivery) -> Parts | Rejection:
        """The row of a delivery, or why there is none. Never raises."""
        mapping = self._mapping(delivery.headers[0][1].decode("utf-8", "replace"))
        if mapping is None:
            known = ", ".join(sorted(self._mappings)) or "none"
            sentence = f"{self.mark}: expected the name of a mapping ({known}); found another."
            return Rejection(Reason.UNKNOWN_SITE, sentence, self.mark)
        try:
            return self._read(delivery, mapping)
        except Ignore as ignored:
            return ignored
        except (Review, Refused) as refusal:
            return self._at_line(refusal.rejection, delivery)
        except Exception as error:
            return _unreadable(error)

    def wanted(self, parts: Parts) -> tuple[set[str], set[str]]:
        """The keys of identities and of resources that a row will ask for."""
        if isinstance(parts, Ignore):
            return set(), set()
        try:
            name = resource_key(parts.mapping.source, parts.name())
        except Review:
            return set(), set()
        identity = identity_of(parts)
        return ({identity} if identity is not None else set()), {name}

    def take(self, opened: Opened, knowing: Knowing, delivery: Delivery, parts: Parts) -> None:
        """Take or refuse the row."""
        if isinstance(parts, Row) and parts.history:
            delivery = replace(delivery, headers=(*delivery.headers, (HISTORY, b"true")))
        add(opened, delivery, None)
        if isinstance(parts, Ignore):
            opened.ignored[parts.why] += 1
            return
        refusal = self._take(opened, knowing, delivery, parts)
        if refusal is not None:
            opened.results[-1] = self._at_line(refusal, delivery)

    def _take(
        self, opened: Opened, knowing: Knowing, delivery: Delivery, row: Row
    ) -> Rejection | None:
        try:
            taken = take_row(row, self._profiles[row.mapping.name], knowing)
        except Ignore as ignored:
            opened.ignored[ignored.why] += 1
            return None
        except Review as review:
            return review.rejection
        except Exception as error:
            return _unreadable(error)
        if not taken[0].documents:
            opened.ignored[taken[0].why] += 1
        refusal = decode_all(opened, len(opened.results) - 1, taken, delivery, knowing)
        return refusal and by_column(refusal, row.rows)

    def _mapping(self, name: str) -> TableMapping | None:
        if not name and len(self._mappings) == 1:
            return next(iter(self._mappings.values()))
        return self._mappings.get(name)

    def _at_line(self, rejection: Rejection, delivery: Delivery) -> Rejection:
        """With the line of the file in front, where the row came from a sheet."""
        line = line_of(delivery.value) if self.mark == SHEET else 0
        if not line:
            return rejection
        sentence = f"line {line}, {rejection.sentence}"
        return Rejection(rejection.reason, sentence, rejection.field, rejection.waits_for)


def _unreadable(error: Exception) -> Rejection:
    """A fault of ours must not hold up the feed: what it happened to is kept, and it is told."""
    log.error("a row cannot be read (%s)", type(error).__name__)
    sentence = "expected a row that can be read; found one that cannot."
    return Rejection(Reason.INVALID_MEMBER, sentence)
