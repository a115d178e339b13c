"""The composition root: the one place where settings become running parts."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from domain.rules import BOOK, RuleBook
from infra.clock import Clock, system_clock
from infra.eventstore import open_store
from infra.eventstore.enrolled import open_enrolled
from infra.eventstore.projected import open_projected
from infra.eventstore.rebuilding import open_rebuilding
from infra.eventstore.translated import open_translations
from infra.making import making_of
from infra.settings import Settings
from projections.boundaries import Passed
from projections.letters import LetterAct
from projections.ports import ReadModelsMoved, Store
from projections.translated import Translations
from services.ingest import Delivery, Ingest, Judge, Outcome
from services.projecting.following import Projection
from services.rehearsing import Rehearsal
from services.serve.background import Background, Reactor

if TYPE_CHECKING:
    from services.audit.publishing import Publication
    from services.rows.mapping import TableMapping
    from services.translate.feeds import Feeds
    from services.translate.site import Site

log = logging.getLogger("caretally.store")

Seen = Callable[[Outcome, float], None]
"""Hears of every stored batch and how many seconds it took."""


class SharedIngest(Ingest):
    """The ingest core for several doors of one process: one batch at a time."""

    def __init__(self, parts: Parts, seen: Seen | None = None) -> None:
        """`seen` is called while the next batch waits: it must be quick and must not raise."""
        settings = parts.settings
        super().__init__(
            parts.store,
            parts.clock,
            parts.book,
            settings.policy_of,
            settings.patients_max,
            parts.makings(),
            parts.feeds(open_translations(parts.store)),
        )
        self._turn = Lock()
        self._seen = seen
        self.superseded: ReadModelsMoved | None = None
        """Set once the store refuses this process for good: it must start again."""

    def take(
        self,
        deliveries: Sequence[Delivery],
        tracking: Mapping[str, int] | None = None,
        keep_dead_letters: bool = True,
        judge: Judge | None = None,
        acts: Sequence[LetterAct] = (),
    ) -> Outcome:
        with self._turn:
            began = time.perf_counter()
            try:
                outcome = super().take(deliveries, tracking, keep_dead_letters, judge, acts)
            except ReadModelsMoved as error:
                self.superseded = error
                raise
            if self._seen is not None:
                self._seen(outcome, time.perf_counter() - began)
            return outcome

    def tick(self, stream_ids: Sequence[str], passed: Passed) -> int:
        with self._turn:
            return super().tick(stream_ids, passed)

    def note_enrolments(self, stream_ids: Sequence[str]) -> None:
        with self._turn:
            super().note_enrolments(stream_ids)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process works with. The store is closed by whoever composed it."""

    settings: Settings
    clock: Clock
    book: RuleBook
    store: Store
    sites: Mapping[str, Site] = field(default_factory=dict)
    """Profiles of the sites whose feeds are taken, by name."""
    mappings: Mapping[str, TableMapping] = field(default_factory=dict)
    """Of spreadsheets and databases, by name."""

    @property
    def making(self) -> str:
        """What answers are made by: release, rules, fees and policies in one string."""
        return making_of(self.book, self.settings)

    def makings(self) -> frozenset[str]:
        """Beside which answers those of this process may lie from now on: its own, and those that
        are live. A rebuild by other rules makes the store refuse it."""
        return frozenset({self.making, open_rebuilding(self.store).making()})

    def feeds(self, translations: Translations) -> Feeds | None:
        """What knows the foreign forms that are taken; None where none is."""
        if not (self.sites or self.mappings):
            return None
        from services.foreign import feeds

        return feeds(translations, self.sites, self.mappings)

    def rehearsal(self) -> Rehearsal:
        """What is written to in the place of the store, to see what would happen."""
        return Rehearsal(self.store)

    def rehearsing(self, rehearsal: Rehearsal) -> Ingest:
        """An ingest core that writes to a rehearsal."""
        settings, feeds = self.settings, self.feeds(rehearsal.translations)
        limit = settings.patients_max
        return Ingest(
            rehearsal.store, self.clock, self.book, settings.policy_of, limit, opener=feeds
        )

    def projections(self) -> list[Projection]:
        """What crosses patients, as configured."""
        from services.projecting.billing import OperatorBilling
        from services.projecting.overlaps import StaffOverlaps
        from services.projecting.panels import Panels

        projected, settings = open_projected(self.store), self.settings
        found: list[Projection] = [
            StaffOverlaps(self.store, projected, settings.policy_of),
            Panels(projected),
        ]
        if operators := settings.file.operators:
            billing = OperatorBilling(
                self.store, projected, operators, self.book, settings.policy_of
            )
            found.append(billing)
        return found

    def ingest(self, seen: Seen | None = None) -> SharedIngest:
        """A new ingest core over the store; one is enough for all doors."""
        return SharedIngest(self, seen)


def reactors(parts: Parts) -> list[Reactor]:
    """What tells the world of stored alert transitions (role `notifier`), as configured.

    Raises ValueError for a sink whose settings cannot be used.
    """
    found: list[Reactor] = []
    kafka = parts.settings.kafka_settings()
    if kafka is not None:
        from services.relay import relays

        found += relays(kafka, parts.store)
    from services import notify

    return [*found, *notify.reactors(parts.settings, parts.store, parts.clock)]


def projectors(parts: Parts, ingest: SharedIngest) -> list[Background]:
    """What follows the log and the clock at its own pace (role `projector`).

    What a patient's own events decide is written with them; here stands what crosses patients, and
    what the passing of time decides.
    """
    from services.clockwork import Clockwork
    from services.projecting.runner import Projector

    policy_of = parts.settings.policy_of
    clock = Clockwork(parts.store, open_enrolled(parts.store), ingest, parts.clock, policy_of)
    found: list[Background] = [clock]
    found += [Projector(parts.store, one) for one in parts.projections()]
    if parts.settings.signing_key and parts.settings.checkpoint_seconds:
        from services.audit.publishing import CheckpointKeeper

        seconds = parts.settings.checkpoint_seconds
        found.append(CheckpointKeeper(lambda: publication(parts), seconds))
    return found


def publication(parts: Parts) -> Publication:
    """What signs checkpoints and where they go. Raises NoteError and OSError for the key's file."""
    from infra.transparency import read_signer
    from services.audit.publishing import Publication

    settings = parts.settings
    return Publication(
        store=parts.store,
        signer=read_signer(Path(settings.signing_key)),
        clock=parts.clock,
        folder=settings.checkpoint_folder,
        kafka=settings.kafka_settings(),
    )


@contextmanager
def composed(settings: Settings, clock: Clock = system_clock) -> Iterator[Parts]:
    """The parts over the configured database, which is opened, migrated, and closed at the end.

    Raises whatever the database's driver raises when it cannot be opened, `SchemaTooNew` for one
    of a newer release, `StoredFeesError` for damaged imported fees, `SiteError` for a site profile
    that cannot be used, `MappingError` for such a mapping.
    """
    book = rule_book(settings)
    sites: Mapping[str, Site] = {}
    mappings: Mapping[str, TableMapping] = {}
    if settings.fhir_sites or settings.mappings:  # else most commands would read models for nothing
        from services.foreign import read_profiles

        sites, mappings = read_profiles(settings)
    store = open_store(settings.database, log.info)
    try:
        yield Parts(settings, clock, book, store, sites, mappings)
    finally:
        store.close()


def rule_book(settings: Settings) -> RuleBook:
    """The rules with the built-in fees, and whatever official files were imported over them."""
    if not (settings.data_folder / "fees").is_dir():
        return BOOK
    from services.fees import load_imported

    return RuleBook(load_imported(settings.data_folder))


def stop_collector() -> None:
    """Let the garbage collector rest for good; for processes that fold one log and end.

    They make no cyclic garbage that grows with their work (`calm_collector` says why).
    """
    gc.collect()
    gc.disable()


def calm_collector() -> None:
    """Let the garbage collector look at young objects only; for processes that ingest.

    The fold makes no cyclic garbage: what it drops is freed at once by reference count. But its
    hot patients are a million long-lived objects, and Python's default is to walk all of them
    again and again; that takes a fifth of the ingest time and finds nothing. Cycles that libraries
    make die young and are still found. Call it once everything is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 50, 1_000)
