"""What holds the time events of a long history until somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from domain.event import Event, EventKey
from domain.facts import Month


class Archive(Protocol):
    """Time events with their `entry_id`, put away in bundles; each bundle is taken out once.

    All events of an entry lie in one bundle. More may be handed out than was asked for, never
    less: who asks looks again at what came.
    """

    @property
    def months(self) -> frozenset[Month]:
        """Months that the entries still put away may touch."""

    def take_month(self, month: Month) -> Iterable[tuple[str, Event]]:
        """Every event of every entry that may touch the month."""

    def take_entry(self, entry_id: str) -> Iterable[tuple[str, Event]]:
        """Every event of the entry."""

    def take_event(self, key: EventKey) -> Iterable[tuple[str, Event]]:
        """The event under a (`source`, `id`), if it is put away."""
