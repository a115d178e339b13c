"""Log lines for machines: one JSON object a line on standard error, never about a patient.

An exception's own words may quote a row or a message, so only its class and its place in the code
are written.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from traceback import extract_tb
from typing import Any

_QUIET = (
    "aiokafka",
    "asyncio",
    "caretally.kafka.library",
    "eventsourcing",
    "faststream",
    "httpcore",
    "httpx",
    "uvicorn",
)
"""Libraries are heard from `warning` on, whatever our own level is."""

PLACES_MAX = 20


class Line(logging.Formatter):
    """A record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        error = record.exc_info and record.exc_info[1]
        if error:
            line["error"] = type(error).__name__
            line["places"] = [
                f"{place.filename.rpartition('/')[2]}:{place.lineno} {place.name}"
                for place in extract_tb(error.__traceback__)[-PLACES_MAX:]
            ]
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str) -> None:
    """Write the process's log from this level on (`debug`, `info`, `warning`, `error`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
