"""Whether the log is what was written: no event changed, missing, swapped or cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.codec import BrokenChain, UndecodableEvent, decode_event, verify_chain
from projections.ports import Store, StoredEvent

PAGE_EVENTS = 5_000
SAMPLE_PATIENTS = 200

Moved = Callable[[int], None]
"""Hears how many events were examined."""


class LogFault(Exception):
    """The log is not whole. Says where by position and version, never whose event it is."""


@dataclass(slots=True)
class Examined:
    """How much was looked at."""

    events: int = 0
    patients: int = 0


def scan(store: Store, moved: Moved) -> Examined:
    """Examine the whole log as it is now. Raises LogFault at the first fault."""
    # Versions first: what is written meanwhile can only be more than they say.
    versions, head = store.versions(), store.head()
    seen: dict[str, int] = {}
    place = _Place()

    def events() -> Iterator[StoredEvent]:
        while place.position < head:
            page = store.log(place.position, PAGE_EVENTS)
            if not page:
                raise LogFault(f"the log ends after position {place.position}, before {head}")
            for event in page:
                place.enter(event)
                seen[event.stream_id] = event.version
                yield event
            moved(place.position)

    _follow(events(), place)
    short = sum(seen.get(stream, 0) < version for stream, version in versions.items())
    if short:
        raise LogFault(f"the last events of {short} patients are missing")
    return Examined(place.position, len(seen))


def sample(store: Store, moved: Moved) -> Examined:
    """Examine the histories of some patients, evenly spread. Raises LogFault."""
    versions = store.versions()
    streams = sorted(versions)
    chosen = streams[:: max(1, len(streams) // SAMPLE_PATIENTS)][:SAMPLE_PATIENTS]
    examined = Examined()
    for stream in chosen:
        place = _Place(consecutive=False)
        history = store.load([stream])[stream].events
        _follow((place.enter(event) for event in history), place)
        if len(history) < versions[stream]:
            raise LogFault("the last events of a patient are missing")
        examined.events += len(history)
        examined.patients += 1
        moved(examined.patients)
    return examined


def sample_size(patients: int) -> int:
    """How many patients a sample examines."""
    return min(patients, SAMPLE_PATIENTS)


@dataclass(slots=True)
class _Place:
    """Where a scan is; positions of a whole log follow each other without a gap."""

    position: int = 0
    version: int = 0
    consecutive: bool = True

    def enter(self, event: StoredEvent) -> StoredEvent:
        if self.consecutive and event.position != self.position + 1:
            raise LogFault(f"position {self.position + 1} is missing")
        self.position, self.version = event.position, event.version
        return event


def _follow(events: Iterator[StoredEvent], place: _Place) -> None:
    def readable() -> Iterator[StoredEvent]:
        for event in events:
            decode_event(event)
            yield event

    where = "the event at position {0.position} (version {0.version} of its patient)"
    try:
        verify_chain(readable())
    except BrokenChain:
        raise LogFault(f"{where.format(place)} does not follow on the one before it") from None
    except UndecodableEvent:
        raise LogFault(f"{where.format(place)} cannot be read") from None
