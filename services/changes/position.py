"""Where in the source's own log a change stands, as digits that grow with it.

Each database counts in its own way. The digits of one connector have one width, so that they are
in order as texts too: they become part of event ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Source = Mapping[str, Any]

_BINLOG: Final = re.compile(r"\.(\d{1,9})$", re.ASCII)
_LSN: Final = re.compile(r"[0-9a-f]{8}:[0-9a-f]{8}:[0-9a-f]{4}", re.ASCII | re.IGNORECASE)


def position_of(source: Source) -> str:
    """The digits, '' where the connector is not known or says nothing."""
    known = _OF_CONNECTOR.get(str(source.get("connector")))
    return known(source) if known is not None else ""


def _postgres(source: Source) -> str:
    return _digits(source.get("lsn"), 20)


def _mysql(source: Source) -> str:
    """The number of the binlog file, the place in it, and the row of the event there."""
    file = _BINLOG.search(str(source.get("file")))
    place, row = _digits(source.get("pos"), 14), _digits(source.get("row") or 0, 8)
    return f"{int(file[1]):09d}{place}{row}" if file and place and row else ""


def _sqlserver(source: Source) -> str:
    """When it was committed, where it stands in that transaction, and the part of a change."""
    commit, change = _lsn(source.get("commit_lsn")), _lsn(source.get("change_lsn"))
    serial = _digits(source.get("event_serial_no") or 0, 4)
    return f"{commit or 0:025d}{change or 0:025d}{serial}" if commit and serial else ""


def _oracle(source: Source) -> str:
    scn, part = _digits(source.get("scn"), 20), _digits(source.get("ssn") or 0, 10)
    return f"{scn}{part}" if scn and part else ""


def _lsn(value: Any) -> int | None:
    text = str(value)
    return int(text.replace(":", ""), 16) if _LSN.fullmatch(text) else None


def _digits(value: Any, width: int) -> str:
    """A whole number, also one that is written as text; '' for anything else."""
    text = str(value)
    return text.zfill(width) if text.isascii() and text.isdigit() and len(text) <= width else ""


_OF_CONNECTOR: Final[dict[str, Callable[[Source], str]]] = {
    "postgresql": _postgres,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlserver": _sqlserver,
    "oracle": _oracle,
}
