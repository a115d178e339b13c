"""One event after the other: is each what its patient's next one and its own key say it is?"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from domain.event import Event
from infra.codec import UndecodableEvent, decode_event, event_key, link, previous_link
from infra.eventstore.transparency import StreamEnd
from projections.ports import StoredEvent
from services.audit.faults import Fault, FaultKind, Findings


@dataclass(slots=True)
class _Last:
    """The last event seen of a stream."""

    version: int
    position: int
    link: bytes


class Chains:
    """Follows the hash chain of every stream, events in order of version."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._last: dict[str, _Last] = {}

    def follow(self, event: StoredEvent) -> None:
        """Check one event against the one before it, its content and its dedupe key."""
        last = self._last.get(event.stream_id)
        decoded = self._decoded(event)
        if decoded is not None and event.key not in (b"", event_key(decoded.source, decoded.id)):
            self._add(FaultKind.CHANGED, event, "its dedupe key is not that of its source and id")
        try:
            claimed = previous_link(event.state)
        except UndecodableEvent:
            claimed = b""
        self._compare(event, last, claimed)
        own = link(event.stream_id, event.version, event.name, event.state)
        self._last[event.stream_id] = _Last(event.version, event.position, own)

    def _decoded(self, event: StoredEvent) -> Event | None:
        try:
            return decode_event(event)
        except (UndecodableEvent, ValueError):
            self._add(FaultKind.UNREADABLE, event, "it cannot be read")
            return None

    def _compare(self, event: StoredEvent, last: _Last | None, claimed: bytes | None) -> None:
        expected = last.version + 1 if last else 1
        if event.version > expected:
            for version in range(expected, min(event.version, expected + 20)):
                sentence = f"version {version} is missing before version {event.version}"
                missing = Fault(FaultKind.MISSING, sentence, event.stream_id, version)
                self._findings.add(missing)
        elif event.version < expected:
            self._add(FaultKind.BROKEN_CHAIN, event, f"it comes after version {expected - 1}")
        elif claimed != (last.link if last else None):
            before = f"version {last.version} (position {last.position})" if last else "nothing"
            sentence = f"it was not written after {before} as that is now: one of them was changed"
            self._add(FaultKind.BROKEN_CHAIN, event, sentence)
            if last:
                self._findings.add(
                    Fault(
                        FaultKind.BROKEN_CHAIN,
                        f"version {event.version} was not written after this one as it is now",
                        event.stream_id,
                        last.version,
                        last.position,
                    )
                )

    def finish(self, ends: dict[str, StreamEnd], known: Container[str]) -> None:
        """Check where the streams end: nothing may be cut off, nothing changed at the end.

        `ends` was read before the events, `known` streams after them: others may write meanwhile.
        """
        for stream, end in ends.items():
            last = self._last.get(stream)
            if last is None or last.version < end.version:
                version = (last.version if last else 0) + 1
                sentence = f"versions {version} to {end.version} are missing at the end"
                self._findings.add(Fault(FaultKind.CUT_OFF, sentence, stream, version))
            elif last.version == end.version and end.head not in (None, last.link):
                sentence = "the last event is not the one that was written"
                fault = Fault(FaultKind.CHANGED, sentence, stream, last.version, last.position)
                self._findings.add(fault)
        for stream, last in self._last.items():
            if stream in ends or stream in known:
                continue
            sentence = "the store knows no patient of this stream"
            fault = Fault(FaultKind.CHANGED, sentence, stream, last.version, last.position)
            self._findings.add(fault)
        self._findings.patients = len(self._last)

    def _add(self, kind: FaultKind, event: StoredEvent, sentence: str) -> None:
        fault = Fault(kind, sentence, event.stream_id, event.version, event.position)
        self._findings.add(fault)
