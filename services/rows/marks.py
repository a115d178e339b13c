"""Headers by which a delivery is known as a row. A letter keeps them, so that it goes in again."""

from __future__ import annotations

from typing import Final

SHEET: Final = "caretally-sheet"
"""The first header of a spreadsheet's row: the name of the mapping."""

CHANGE: Final = "caretally-change"
"""The first header of a database's change: the name of the mapping, empty where there is one."""

FILE: Final = "caretally-file"
"""What names the file that a row came in."""

EXPORTED: Final = "caretally-exported"
"""When the sheet was saved, as an instant."""

MAPPING: Final = "caretally-mapping"
"""On a message in Kafka: the name of the mapping, where there are several."""

Headers = tuple[tuple[str, bytes], ...]


def of_sheet(mapping: str, file: str, exported: str = "") -> Headers:
    """The headers of a spreadsheet's rows."""
    more = ((EXPORTED, exported.encode()),) if exported else ()
    return ((SHEET, mapping.encode()), (FILE, file.encode()), *more)


def of_changes(mapping: str) -> Headers:
    """The headers of a database's changes."""
    return ((CHANGE, mapping.encode()),)
