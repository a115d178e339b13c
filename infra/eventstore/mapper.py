"""Our stored events as domain events of the eventsourcing library, by stable names alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError
from eventsourcing.persistence import StoredEvent as LibraryEvent

from domain.event import Event
from infra.codec import UndecodableEvent, decode_event
from projections.ports import StoredEvent

if TYPE_CHECKING:
    from eventsourcing.domain import DomainEventProtocol


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """One event of a patient's stream, in the form that the library hands around.

    `originator_id` is the stream id, `originator_version` counts from 1, `name` is the stable
    event name, `state` the stored bytes and `event` what they mean.
    """

    originator_id: str
    originator_version: int
    name: str
    state: bytes
    event: Event


class EventMapper(Mapper[str]):
    """Maps through our codec. A stored name never leads to an import."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes the library's arguments and needs none: envelopes are not transcoded again."""
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> LibraryEvent:
        fact = cast("RecordedFact", domain_event)
        return LibraryEvent(fact.originator_id, fact.originator_version, fact.name, fact.state)

    def to_domain_event(self, stored_event: LibraryEvent) -> DomainEventProtocol[str]:
        """Raises MapperDeserialisationError for what today's code cannot read."""
        stream, version = str(stored_event.originator_id), stored_event.originator_version
        name, state = stored_event.topic, stored_event.state
        try:
            event = decode_event(StoredEvent(stream, version, name, state, b""))
        except UndecodableEvent as error:
            raise MapperDeserialisationError(str(error)) from error
        return RecordedFact(stream, version, name, state, event)
