"""What hunts for faults with damaged messages has in common, whatever their form."""

from __future__ import annotations

import logging


class Fault(AssertionError):
    """What must never happen, with the message that did it."""


class Fenced(logging.Handler):
    """Hears the feed when a fault of ours was caught by its fence: none may be."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())
