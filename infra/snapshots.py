"""Snapshots: a patient's history in one piece, so that loading it does not mean folding it all.

A snapshot holds facts and no answer: billing rules may change and it still says what happened. It
is bound to the fold and the packing that made it by `FORM`, and to its place by a checksum.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from hashlib import blake2b, sha256
from typing import NamedTuple

import msgspec

from domain.patient import Patient, evolve
from infra.archive_parts import Bundle, Part, name_of, read_part
from infra.codec import canonical_json, decode_event, encode_state, split_stream_id
from infra.packed_archive import PackedArchive
from infra.packing import FactRow, event_of, fact_row
from infra.specimen import SPECIMEN
from projections.ports import Snapshot, StoredEvent

REVISION = 2
"""Count up when the same stored events come to mean other facts, or facts to be packed another
way, in a case that the specimen does not show."""

GROWTH = 256
"""Events that a history gains before its next snapshot; a shorter tail folds in milliseconds."""

_CHECKSUM_BYTES = 16


class DamagedSnapshot(ValueError):
    """The bytes are not those that were stored, or not under this stream, version and form, or
    today's code cannot read them."""


class _Body(msgspec.Struct, array_like=True, gc=False):
    """What is stored: facts other than time in the order of the stream, and the names of the parts
    in which time is packed, with the numbers of those bundles in them that count no longer."""

    previous: bytes
    recorded_at_us: int
    facts: list[FactRow]
    parts: list[bytes]
    gone: list[int]


class Restored(NamedTuple):
    """A patient as of a snapshot, the archive of its time, the hash its next event links to, and
    when its last event was recorded."""

    patient: Patient
    archive: PackedArchive
    previous: bytes
    recorded_at_us: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Body).decode


def is_due(version: int, last: int) -> bool:
    """Whether a history of `version` events, `last` of them in its snapshot, deserves the next."""
    return version - last >= GROWTH


def snapshot(
    stream_id: str, patient: Patient, archive: PackedArchive, previous: bytes, recorded_at_us: int
) -> tuple[Snapshot, PackedArchive]:
    """The patient's snapshot, and the archive in which all of its time lies from now on.

    `archive` is the present one, whose unopened bundles are taken over as they are; `previous` is
    the hash that the patient's next event links to; `recorded_at_us` when its last was recorded.
    """
    packed, made = _put_away(patient, archive)
    facts = [fact_row(event) for event in patient.events.values()]
    names = [part.name for part in packed.parts]
    state = _encode(_Body(previous, recorded_at_us, facts, names, packed.gone))
    state = _checksum(stream_id, patient.version, FORM, state) + state
    parts = {name: made.get(name) for name in names}
    return Snapshot(stream_id, patient.version, FORM, state, parts), packed


def _put_away(patient: Patient, archive: PackedArchive) -> tuple[PackedArchive, dict[bytes, bytes]]:
    packed, made = archive.with_entries(patient.entries)
    patient.put_away(packed)
    return packed, made


def restore(taken: Snapshot) -> Restored:
    """The patient of a snapshot of this release's form. Raises DamagedSnapshot."""
    checksum, body = taken.state[:_CHECKSUM_BYTES], taken.state[_CHECKSUM_BYTES:]
    if checksum != _checksum(taken.stream_id, taken.version, taken.form, body):
        raise DamagedSnapshot(f"the snapshot at version {taken.version} fails its checksum")
    address = split_stream_id(taken.stream_id)
    try:
        found = _decode(body)
        facts = [event_of(row, *address) for row in found.facts]
        archive = _archive(address, found, taken)
    except DamagedSnapshot:
        raise
    except (ValueError, KeyError, msgspec.MsgspecError) as error:
        raise DamagedSnapshot(
            f"the snapshot at version {taken.version} is no longer read"
        ) from error
    patient = Patient.restored(*address, taken.version, facts, archive)
    return Restored(patient, archive, found.previous, found.recorded_at_us)


def _archive(address: tuple[str, str], found: _Body, taken: Snapshot) -> PackedArchive:
    parts: list[Part] = []
    bundles: dict[int, Bundle] = {}
    for name in found.parts:
        body = taken.parts.get(name)
        if body is None:
            raise DamagedSnapshot(f"the snapshot at version {taken.version} lacks a part")
        if name_of(body) != name:
            raise DamagedSnapshot(f"a part of the snapshot at {taken.version} fails its checksum")
        part, of_part = read_part(name, body)
        parts.append(part)
        bundles |= of_part
    for number in found.gone:
        del bundles[number]
    return PackedArchive(address, parts, bundles)


def _checksum(stream_id: str, version: int, form: str, body: bytes) -> bytes:
    head = f"{len(stream_id)}:{stream_id}{version}:{form}:".encode()
    return blake2b(body, key=blake2b(head).digest(), digest_size=_CHECKSUM_BYTES).digest()


def _form() -> str:
    """A digest of what today's code makes of the specimen, before compression."""
    address = ("specimen", "p1")
    patient = Patient(*address)
    for event in map(decode_event, _specimen()):
        evolve(patient, event)
    packed, _ = _put_away(patient, PackedArchive.empty(address))
    facts = [fact_row(event) for event in patient.events.values()]
    plain = [(b.months, zlib.decompress(b.packed)) for b in packed.bundles.values()]
    indexes = [(part.numbers, part.keys.tobytes(), part.entries.tobytes()) for part in packed.parts]
    return f"sha256:{sha256(_encode((REVISION, facts, plain, indexes))).hexdigest()}"


def _specimen() -> Iterable[StoredEvent]:
    for version, (name, data) in enumerate(SPECIMEN, 1):
        state = encode_state(
            source="/specimen",
            id=str(version),
            time_text="2025-03-31T12:00:00Z",
            recorded_at_us=version,
            previous=None,
            data=canonical_json(data),
        )
        yield StoredEvent("specimen/p1", version, name, state, b"")


FORM = _form()
"""Stands for the rules by which snapshots are made here; another one's are not read."""
