"""A timer's mapping, sheets of it, and an ingest core that knows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore.translated import open_translations
from projections.ports import DeadLetter, Store
from services.doors.files import FileOutcome, ingest_file
from services.ingest import Delivery, Ingest, Outcome
from services.rows.feed import RowsFeed
from services.rows.mapping import TableMapping
from services.rows.marks import CHANGE, SHEET, of_changes, of_sheet
from services.sheets.reading import SheetReader
from services.sheets.row import SheetRow, to_bytes
from services.translate.feeds import Feeds

NOW_US = 1_742_000_000_000_000

MEMBERS: dict[str, Any] = {
    "performer.id": {"column": "Staff"},
    "performer.role": {"column": "Staff", "values": {"Ann": "clinical_staff"}},
    "activity": {"column": "Task"},
    "performed_on": {"column": "Date", "date": "%m/%d/%Y"},
    "seconds": {"column": "Minutes", "duration": "minutes"},
}
CELLS = {"No": "7", "MRN": "pt1", "Staff": "Ann", "Task": "call", "Date": "3/5/2025"}
ROW = {**CELLS, "Minutes": "10", "Status": "Final", "Changed": "2025-03-05 17:00"}


def rows(**changes: Any) -> dict[str, Any]:
    """The rows of a mapping of a timer, with other members in place of its own."""
    return {
        "key": ["No"],
        "patient": {"column": "MRN"},
        "only": {"Status": ["Final"]},
        "events": [{"type": "time.logged.v1", "members": MEMBERS}],
        **changes,
    }


def clocked(**changes: Any) -> dict[str, Any]:
    """Events with both ends of the work, in columns of day and time."""
    members = {k: v for k, v in MEMBERS.items() if k not in ("performed_on", "seconds")}
    pattern = "%m/%d/%Y %I:%M %p"
    started = {"columns": ["Date", "Start"], "instant": pattern}
    ended = {"columns": ["Date", "End"], "instant": pattern}
    more = {"started_at": started, "ended_at": ended, **changes}
    return {"type": "time.logged.v1", "members": {**members, **more}}


CHANGED = {"recorded": {"column": "Changed", "instant": "iso"}}
"""Rows that say when they were written."""


def mapping(given: Mapping[str, Any] | None = None, **changes: Any) -> TableMapping:
    """A spreadsheet's mapping."""
    plain: dict[str, Any] = {
        "name": "timer",
        "source": "https://timer.example",
        "practice": "p1",
        "timezone": "America/New_York",
        "rows": dict(given or rows()),
    }
    return TableMapping(**{**plain, **changes})


class Kept:
    """A store fed with rows."""

    def __init__(self, store: Store, *mappings: TableMapping) -> None:
        self.store = store
        self.mappings = {each.name: each for each in mappings or (mapping(),)}
        feeds = [RowsFeed(mark, self.mappings) for mark in (SHEET, CHANGE)]
        opener = Feeds(open_translations(store), *feeds)
        self.ingest = Ingest(store, lambda: NOW_US, BOOK, lambda _: Policy(), opener=opener)

    def row(
        self, file: str = "f", exported: str = "", line: int = 2, same_as: int = 0, **cells: str
    ) -> Outcome:
        """Take one row as it stands in a sheet."""
        read = SheetRow(line, {**ROW, **cells}, same_as=same_as, nth=1 + bool(same_as))
        headers = of_sheet("timer", file, exported)
        return self.ingest.take([Delivery(to_bytes(read), None, headers, f"file:x.csv:{line}")])

    def sheet(self, path: Path, exported: str = "", batch_size: int = 100) -> FileOutcome:
        """Take a file."""
        marks = of_sheet("timer", path.name, exported)
        read = SheetReader(self.mappings["timer"]).lines
        return ingest_file(self.ingest, self.store, path, batch_size, marks=marks, read=read)

    def change(self, *changes: Any) -> Outcome:
        """Take changes of a database, or bytes as they are, in one batch."""
        found = []
        for place, each in enumerate(changes):
            raw = each if each is None or isinstance(each, bytes) else json.dumps(each).encode()
            found.append(Delivery(raw, None, of_changes("timer"), f"test:{place}"))
        return self.ingest.take(found)

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.store.assessments()]

    def seconds(self) -> dict[str, int]:
        """Logged seconds by month."""
        return {each["month"]: each["seconds"]["logged"] for each in self.answers()}

    def letters(self) -> list[DeadLetter]:
        return [each for each in self.store.dead_letters() if each.replayed_at_us is None]

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, id and data of everything in the log."""
        found = []
        for stored in self.store.log(0, 100_000):
            state = json.loads(stored.state)
            found.append((stored.name, state["id"], state["data"]))
        return found
