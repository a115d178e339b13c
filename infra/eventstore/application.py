"""The log through the eventsourcing library's documented interface, for whoever knows that one.

records = CareRecords(store)
records.repository.get("p1/pt1", projector_func=fold)
records.notification_log.select(start=1, limit=100)
"""

from __future__ import annotations

from typing import Any, NoReturn

from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    NotSupportedError,
    ProcessRecorder,
)
from eventsourcing.utils import Environment

from infra.eventstore.mapper import EventMapper
from infra.eventstore.postgres import PostgresStore
from infra.eventstore.sqlite import SQLiteStore


class _OpenedFactory(InfrastructureFactory[Any]):
    """Hands out the recorder of a store that is open already."""

    def __init__(self, env: Environment, recorder: ProcessRecorder) -> None:
        super().__init__(env)
        self._recorder = recorder

    def application_recorder(self) -> ApplicationRecorder:
        return self._recorder

    def process_recorder(self) -> ProcessRecorder:
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> NoReturn:
        raise NotSupportedError(f"no recorder for {purpose}: snapshots are the store's own")

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> NoReturn:
        raise NotSupportedError(f"no {tracking_recorder_class}: tracking is the store's own")


class CareRecords(Application[str]):
    """Reads a store's log. Events are `RecordedFact`, ids are stream ids.

    Closing it does not close the store.
    """

    name = "care"
    log_section_size = 1000

    def __init__(self, store: SQLiteStore | PostgresStore) -> None:
        self._recorder = store.recorder
        super().__init__()

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return _OpenedFactory(env, self._recorder)

    def construct_mapper(self) -> Mapper[str]:
        return EventMapper()

    def save(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: what the library writes would pass the dedupe keys and read models by."""
        raise NotSupportedError("events are written by the store's commit, with their read models")
