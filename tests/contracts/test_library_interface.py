"""Whoever knows the eventsourcing library can read our log with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from eventsourcing.application import AggregateNotFoundError
from eventsourcing.persistence import (
    MapperDeserialisationError,
    NotSupportedError,
    StoredEvent,
)

from domain.facts import TimeVoided
from infra.eventstore import open_store
from infra.eventstore.application import CareRecords
from infra.eventstore.mapper import EventMapper, RecordedFact
from tests.contracts.made import VOIDED, batch, event


def entries(_: None, events: Iterable[RecordedFact]) -> list[str] | None:
    """A projector: the entries that a stream voids."""
    facts = [recorded.event.fact for recorded in events]
    return [fact.entry_id for fact in facts if isinstance(fact, TimeVoided)] or None


def test_the_librarys_repository_and_notification_log_read_our_store(durable_url: str) -> None:
    store = open_store(durable_url)
    store.commit(batch(event(1), event(2), event(1, "pt2")))
    records = CareRecords(store)  # type: ignore[arg-type]
    assert records.repository.get("p1/pt1", projector_func=entries) == ["pt1-1", "pt1-2"]
    assert records.repository.get("p1/pt1", version=1, projector_func=entries) == ["pt1-1"]
    with pytest.raises(AggregateNotFoundError):
        records.repository.get("p1/nobody", projector_func=entries)
    log = records.notification_log.select(start=2, limit=10)
    assert [(n.id, n.originator_id, n.originator_version, n.topic) for n in log] == [
        (2, "p1/pt1", 2, VOIDED),
        (3, "p1/pt2", 1, VOIDED),
    ]
    mapped = records.mapper.to_domain_event(log[0])
    assert isinstance(mapped, RecordedFact)
    assert mapped.event.fact == TimeVoided("pt1-2", "entered in error")
    records.close()
    assert store.head() == 3
    store.close()


def test_the_library_cannot_write_past_the_read_models(durable_url: str) -> None:
    store = open_store(durable_url)
    with pytest.raises(NotSupportedError, match="commit"):
        CareRecords(store).save()  # type: ignore[arg-type]
    store.close()


def test_mapping_there_and_back_changes_no_byte() -> None:
    e = event(3)
    stored = StoredEvent(e.stream_id, e.version, e.name, e.state)
    mapper = EventMapper()
    assert mapper.to_stored_event(mapper.to_domain_event(stored)) == stored


def test_a_stored_name_never_leads_to_an_import() -> None:
    """Whoever can write to the database cannot choose code to run."""
    with pytest.raises(MapperDeserialisationError, match="no event type"):
        EventMapper().to_domain_event(StoredEvent("p1/pt1", 1, "os:system", event(1).state))
