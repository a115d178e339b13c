"""What the stores agree on beyond SQL: how headers, texts and whole assessments are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from operator import itemgetter

import msgspec

from infra.codec import link, split_stream_id
from projections.ports import Batch, DeadLetter, StoredEvent, StoredStream

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_VERSION = itemgetter(1)
_DECODE_HEADERS = msgspec.msgpack.Decoder(tuple[tuple[bytes, bytes], ...]).decode


def in_order(events: Iterable[StoredEvent]) -> list[StoredEvent]:
    """By stream and version: neighbours in the index are written together."""
    streams: dict[str, list[StoredEvent]] = {}
    for event in events:
        stream = streams.get(event[0])
        if stream is None:
            streams[event[0]] = [event]
        else:
            stream.append(event)
    return [
        event for _, stream in sorted(streams.items()) for event in sorted(stream, key=_VERSION)
    ]


def patient_rows(
    batch: Batch, ordered: Sequence[StoredEvent]
) -> list[tuple[str, str, str, int, bytes | None]]:
    """Stream, practice, patient, new version and what its last event hashes to, by stream.

    `ordered` are the batch's events as `in_order` has them.
    """
    heads: dict[str, bytes | None] = {**batch.heads}
    last = {event.stream_id: event for event in ordered} if len(heads) < len(batch.versions) else {}
    rows = []
    for stream, version in sorted(batch.versions.items()):
        head, end = heads.get(stream), last.get(stream)
        if head is None and end is not None:
            head = link(stream, end.version, end.name, end.state)
        rows.append((stream, *split_stream_id(stream), version, head))
    return rows


def doubled_keys(events: Sequence[StoredEvent]) -> dict[bytes, str]:
    """Keys that one batch gives to two events, with the stream of the first."""
    first: dict[bytes, str] = {}
    doubled: dict[bytes, str] = {}
    for event in events:
        if event.key in first:
            doubled[event.key] = first[event.key]
        first.setdefault(event.key, event.stream_id)
    return doubled


def after(stream: StoredStream) -> int:
    """The version that a stream's snapshot stands for; its events begin after it."""
    return stream.snapshot.version if stream.snapshot is not None else 0


def whole_assessment(body: bytes, version: int) -> bytes:
    """The stored body with its last member, the patient's stream version."""
    return b'%b,"stream_version":%d}' % (body[:-1], version)


def gone_rows(batch: Batch) -> list[tuple[str, str, str, int]]:
    """Months that lose their assessment, in order, and as of which stream version."""
    return sorted(
        (*split_stream_id(stream), month, batch.versions.get(stream, 0))
        for stream, month in batch.removed_months
    )


def encode_headers(headers: tuple[tuple[str, bytes], ...]) -> bytes:
    """Header names may hold lone surrogates: undecodable bytes smuggled through as text."""
    return msgspec.msgpack.encode(
        [(name.encode("utf-8", "surrogatepass"), value) for name, value in headers]
    )


def decode_headers(stored: bytes) -> tuple[tuple[str, bytes], ...]:
    return tuple(
        (name.decode("utf-8", "surrogatepass"), value) for name, value in _DECODE_HEADERS(stored)
    )


def printable(text: str) -> str:
    """Text that every database takes: what it cannot hold becomes U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def letter_row(letter: DeadLetter) -> tuple[object, ...]:
    """The columns of a dead letter, without its id."""
    return (
        printable(letter.origin),
        printable(letter.reason),
        printable(letter.field),
        printable(letter.sentence),
        letter.value,
        letter.key,
        encode_headers(letter.headers),
        letter.received_at_us,
        letter.replayed_at_us,
        letter.waits_for,
    )


def enrolled_rows(batch: Batch) -> list[tuple[str, ...]]:
    """The columns of all enrolments of a batch, in one order for all writers."""
    return sorted(
        (split_stream_id(stream)[0], e.timezone, stream, e.first_month, e.last_month)
        for stream, enrolments in batch.enrolled.items()
        for e in enrolments
    )


def is_empty(batch: Batch) -> bool:
    """True when a commit of the batch would change nothing."""
    return not (
        batch.events
        or batch.versions
        or batch.assessments
        or batch.removed_months
        or batch.transitions
        or batch.enrolled
        or batch.dead_letters
        or batch.letter_acts
        or batch.replayed
        or batch.links
        or batch.resources
        or batch.refused_again
        or batch.snapshots
        or batch.projected
        or batch.tracking
    )
