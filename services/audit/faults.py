"""What a verification finds: where the log is not what was written, event by event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

FAULTS_MAX: Final = 1_000
"""More than these are counted, not kept."""


class FaultKind(StrEnum):
    """What is wrong. Values are printed and never change."""

    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    BROKEN_CHAIN = "broken-chain"
    CUT_OFF = "cut-off"
    CHECKPOINT = "checkpoint"
    TREE = "tree"
    ACCESS_LOG = "access-log"
    PACKET = "packet"


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding. Where it is no event's, `stream_id` is empty and the numbers are 0."""

    kind: FaultKind
    sentence: str
    stream_id: str = ""
    version: int = 0
    position: int = 0


@dataclass(slots=True)
class Findings:
    """All faults of a verification and how much was looked at."""

    events: int = 0
    patients: int = 0
    checkpoints: int = 0
    accesses: int = 0
    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    """How many faults there are, also those beyond `FAULTS_MAX`."""
    notes: list[str] = field(default_factory=list)
    """Sentences about what was not shown, and why."""

    def add(self, fault: Fault) -> None:
        self.count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.faults)
