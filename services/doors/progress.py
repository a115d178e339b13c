"""How far a Kafka consumer is: what readiness, liveness and metrics read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """One consumer's state. Times are seconds of `monotonic`; lag is in messages.

    A broker health ping cannot see a consumer that died; this can: `stalled` compares what is
    known to wait in the log with the time of the last batch that was stored.
    """

    monotonic: Callable[[], float] = time.monotonic
    last_progress: float = 0.0
    lag: dict[str, int] = field(default_factory=dict)
    """Messages not yet stored, by feed (`topic/partition`), as measured every second."""
    polled: float | None = None
    """When the broker last answered a fetch, None before that."""
    running: bool = False
    feeds: int = 0
    """Partitions held."""
    batches: int = 0
    messages: int = 0
    outage_since: float | None = None
    outage: str = ""
    """The class of the fault that holds consumption back; empty when there is none."""
    given_up: str = ""
    """Why the feed is left waiting until the next start; empty while it is read."""
    problems: dict[str, str] = field(default_factory=dict)
    """Feeds that wait for a person, with the reason."""
    awaited: bool = True
    """Whether the topic must be there. Another is read from when it is there, and nobody waits."""

    def __post_init__(self) -> None:
        self.last_progress = self.monotonic()

    def stored(self, messages: int) -> None:
        """A batch is durable."""
        self.batches += 1
        self.messages += messages
        self.last_progress = self.monotonic()

    def hold(self, error: BaseException) -> None:
        """Consumption is held back by this fault."""
        if self.outage_since is None:
            self.outage_since = self.monotonic()
        self.outage = type(error).__name__

    def released(self) -> None:
        """The fault is over."""
        self.outage_since = None
        self.outage = ""

    @property
    def total_lag(self) -> int:
        return sum(self.lag.values())

    def stalled(self, after_seconds: float) -> bool:
        """Whether messages wait and none was stored for this long, for no known reason."""
        quiet = self.monotonic() - self.last_progress
        held = bool(self.given_up) or self.outage_since is not None
        return not held and quiet > after_seconds and self.total_lag > 0

    def ready(self) -> tuple[bool, str]:
        """Whether the consumer does its work, and what stands in the way if not."""
        if self.given_up:
            return False, self.given_up
        if self.problems:
            return False, "; ".join(self.problems.values())
        if not self.running:
            return not self.awaited, "not connected to Kafka" if self.awaited else ""
        if self.outage_since is not None:
            return False, f"held back by {self.outage}"
        return True, ""
