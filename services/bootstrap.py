"""The composition root: the one place where settings become running parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from domain.rules import BOOK, RuleBook
from infra.clock import Clock, system_clock
from infra.eventstore import open_store
from infra.settings import Settings
from projections.ports import Store
from services.ingest import Delivery, Ingest, Outcome


class SharedIngest(Ingest):
    """The ingest core for several doors of one process: one batch at a time."""

    _turn: Lock

    def take(
        self,
        deliveries: Sequence[Delivery],
        tracking: Mapping[str, int] | None = None,
        keep_dead_letters: bool = True,
    ) -> Outcome:
        with self._turn:
            return super().take(deliveries, tracking, keep_dead_letters)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process works with. The store is closed by whoever composed it."""

    settings: Settings
    clock: Clock
    book: RuleBook
    store: Store

    def ingest(self) -> SharedIngest:
        """A new ingest core over the store; one is enough for all doors."""
        core = SharedIngest(
            self.store, self.clock, self.book, self.settings.policy_of, self.settings.patients_max
        )
        core._turn = Lock()
        return core


@contextmanager
def composed(settings: Settings, clock: Clock = system_clock) -> Iterator[Parts]:
    """The parts over the configured database, which is opened, migrated, and closed at the end.

    Raises whatever the database's driver raises when it cannot be opened, `SchemaTooNew` for one
    of a newer release, and `StoredFeesError` for damaged imported fees.
    """
    book = rule_book(settings)
    store = open_store(settings.database)
    try:
        yield Parts(settings, clock, book, store)
    finally:
        store.close()


def rule_book(settings: Settings) -> RuleBook:
    """The rules with the built-in fees, and whatever official files were imported over them."""
    if not (settings.data_folder / "fees").is_dir():
        return BOOK
    from services.fees import load_imported

    return RuleBook(load_imported(settings.data_folder))
