"""What a file would do: the same ingest core over the same store, of which nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, cast

from infra.eventstore.translated import open_translations
from projections.ports import Batch, DeadLetter, Link, Store, TakenResource
from projections.translated import Translations


class Rehearsal:
    """Stands in for a store, and for what is known of translated feeds: reads come from the real
    ones, with what this rehearsal would have written over them. An event id that two patients
    have is not seen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._translations = open_translations(store)
        self._resources: dict[str, TakenResource] = {}
        self._links: dict[str, list[Link]] = {}
        self._tracking: dict[str, int] = {}
        self.events: Counter[str] = Counter()
        """How many events of each type would be in the log."""

    @property
    def store(self) -> Store:
        return cast(Store, self)

    @property
    def translations(self) -> Translations:
        return cast(Translations, self)

    def __getattr__(self, name: str) -> Any:
        """Whatever else a store is asked is a read, or would be refused by its type."""
        if name in ("load", "versions", "head"):
            return getattr(self._store, name)
        raise AttributeError(f"not part of a rehearsal: {name}")

    def commit(self, batch: Batch) -> None:
        """Keep in mind what a transaction would have written."""
        self.events.update(event.name for event in batch.events)
        self._resources.update((row.key, row) for row in batch.resources)
        self._links.update(batch.links)
        self._tracking.update(batch.tracking)

    def tracking(self, name: str) -> int | None:
        """How far a feed was, or would be."""
        return self._tracking.get(name, self._store.tracking(name))

    def patients(self, keys: Collection[str]) -> Mapping[str, str]:
        """Whom identifiers mean, or would mean."""
        heard = {
            link.key: stream
            for stream, links in self._links.items()
            for link in links
            if link.key in keys
        }
        return {**self._translations.patients(keys), **heard}

    def resources(self, keys: Collection[str]) -> Mapping[str, TakenResource]:
        """What was taken, or would be."""
        taken = {key: self._resources[key] for key in keys if key in self._resources}
        return {**self._translations.resources(keys), **taken}

    def released(self, after: int, limit: int) -> list[DeadLetter]:
        """Nothing: letters are left alone."""
        del after, limit
        return []

    def waiting(self, for_key: str, after: int, limit: int) -> list[DeadLetter]:
        """Nothing, as `released`."""
        del for_key, after, limit
        return []
