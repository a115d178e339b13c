"""An event: one fact of one patient, with who said it and when."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.facts import Fact, Instant

EventKey = tuple[str, str]
"""(`source`, `id`): together unique for ever."""

Order = tuple[Instant, str, str]
"""What orders revisions of one thing: `time`, then `source`, then `id`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted fact.

    `time` is when the source system recorded the fact; `recorded_at_us` is when it was first
    stored here, in microseconds since the epoch, or None where a file does not say.
    `digest` stands for the content (practice, subject, type, time, data): equal digests mean the
    same event said twice, different ones under the same key mean a producer's fault.
    `history` marks what was imported as history: it is no part of the content, and no alert that
    it raises is delivered.
    """

    practice_id: str
    patient_id: str
    source: str
    id: str
    time: Instant
    fact: Fact
    digest: bytes
    recorded_at_us: int | None = None
    history: bool = field(default=False, compare=False)

    @property
    def key(self) -> EventKey:
        return (self.source, self.id)

    @property
    def order(self) -> Order:
        return (self.time, self.source, self.id)
