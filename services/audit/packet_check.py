"""Whether an evidence packet is whole and of the sealed log: by the file and a public key alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from infra.codec import UndecodableEvent, decode_event, event_key, link, previous_link
from infra.transparency import Checkpoint, NoteError
from projections.ports import StoredEvent
from services.audit.attesting import CHECKPOINT, INCLUSION, Place, is_sealed, places_of
from services.audit.faults import Fault, FaultKind, Findings
from services.audit.notary import Notary
from services.wire.encode import to_cloudevent

MANIFEST: Final = "manifest.json"
EVENTS: Final = "events.ndjson"
CHAIN: Final = "chain.ndjson"


class NoPacket(ValueError):
    """The file is no evidence packet; says what was expected."""


def verify_packet(path: Path, notary: Notary) -> Findings:
    """Check the manifest, the chain, the events and their proofs. Raises NoPacket and OSError."""
    files = _files(path)
    manifest = _manifest(files)
    findings = Findings(patients=1)
    _Packet(files, manifest, findings).check(notary)
    return findings


def _files(path: Path) -> dict[str, bytes]:
    try:
        with ZipFile(path) as packed:
            return {name: packed.read(name) for name in packed.namelist()}
    except (BadZipFile, NotImplementedError, EOFError) as error:
        raise NoPacket(f"{path}: expected a zip that is whole: {error}") from None


def _manifest(files: Mapping[str, bytes]) -> Mapping[str, Any]:
    try:
        manifest = json.loads(files[MANIFEST])
        chain = manifest["chain"]
        _ = [(entry["name"], entry["sha256"]) for entry in manifest["files"]]
        _ = (chain["stream"], chain["version"], chain["head"])
    except (KeyError, TypeError, ValueError):
        raise NoPacket(f"{MANIFEST} is missing or is not an evidence packet's") from None
    found: Mapping[str, Any] = manifest
    return found


class _Packet:
    """The checks, one after the other; each adds to the findings."""

    def __init__(
        self, files: Mapping[str, bytes], manifest: Mapping[str, Any], findings: Findings
    ) -> None:
        self._files, self._manifest, self._findings = files, manifest, findings
        self._stream = str(manifest["chain"]["stream"])
        self._events: list[StoredEvent] = []
        """Those that are given whole."""

    def check(self, notary: Notary) -> None:
        self._check_files()
        self._check_chain()
        self._check_events()
        self._check_seal(notary)

    def _fault(self, sentence: str, version: int = 0) -> None:
        stream = self._stream if version else ""
        self._findings.add(Fault(FaultKind.PACKET, sentence, stream, version))

    def _check_files(self) -> None:
        listed = {entry["name"]: entry["sha256"] for entry in self._manifest["files"]}
        for name, digest in listed.items():
            if name not in self._files:
                self._fault(f"{name} is missing")
            elif sha256(self._files[name]).hexdigest() != digest:
                self._fault(f"{name} is not the file that the manifest names")
        for name in self._files.keys() - listed.keys() - {MANIFEST}:
            self._fault(f"{name} is not in the manifest")

    def _check_chain(self) -> None:
        """Each event given whole must come to its link, and name the link before as its own."""
        previous: str | None = None
        version = 0
        for line in self._files.get(CHAIN, b"").splitlines():
            version += 1
            try:
                said = json.loads(line)
                own, given = str(said["link"]), said.get("state")
                if said["version"] != version:
                    self._fault(f"{CHAIN}: version {version} is missing", version)
                if given is not None:
                    event = StoredEvent(self._stream, version, said["name"], given.encode(), b"")
                    self._check_link(event, own, previous)
            except (KeyError, TypeError, ValueError, AttributeError):
                self._fault(f"{CHAIN}: line {version} is damaged", version)
                return
            previous = own
        head = self._manifest["chain"]
        if (version, previous) != (head["version"], head["head"]):
            self._fault(f"{CHAIN}: it does not end as the manifest says")

    def _check_link(self, event: StoredEvent, own: str, previous: str | None) -> None:
        self._events.append(event)
        self._findings.events += 1
        if link(event.stream_id, event.version, event.name, event.state).hex() != own:
            self._fault("the event does not come to its link", event.version)
        try:
            claimed = previous_link(event.state)
        except UndecodableEvent:
            claimed = b""
        if (None if claimed is None else claimed.hex()) != previous:
            self._fault("the event was written after another one", event.version)

    def _check_events(self) -> None:
        """The events for readers must say what the stored ones say."""
        try:
            told = [to_cloudevent(event) for event in self._events]
        except (UndecodableEvent, ValueError):
            self._fault(f"{CHAIN}: an event cannot be read")
            return
        if self._files.get(EVENTS, b"").splitlines() != told:
            self._fault(f"{EVENTS} does not say what {CHAIN} says")

    def _check_seal(self, notary: Notary) -> None:
        note = self._files.get(CHECKPOINT)
        if note is None:
            self._findings.notes.append("the packet has no checkpoint: nobody signed for its log")
            return
        try:
            checkpoint = notary.open(note.decode("utf-8", "replace"))
            places = {p.version: p for p in places_of(self._files.get(INCLUSION, b"").splitlines())}
        except (NoteError, ValueError) as error:
            self._findings.add(Fault(FaultKind.CHECKPOINT, f"{CHECKPOINT}: {error}"))
            return
        if not notary.knows_keys:
            self._findings.notes.append("no public key was given: the signature was not checked")
        self._findings.checkpoints = 1
        self._check_places(places, checkpoint)

    def _check_places(self, places: Mapping[int, Place], checkpoint: Checkpoint) -> None:
        open_events = 0
        for event in self._events:
            place = places.get(event.version)
            if place is None:
                open_events += 1
            elif not is_sealed(self._stream, event.name, event.state, place, checkpoint):
                self._fault("the event is not under the checkpoint", event.version)
            elif not _has_its_key(event, place):
                self._fault("the event's dedupe key is not its own", event.version)
        if open_events:
            sentence = f"{open_events} events have no proof: younger than the checkpoint, or taken"
            self._findings.notes.append(f"{sentence} out")


def _has_its_key(event: StoredEvent, place: Place) -> bool:
    try:
        decoded = decode_event(event)
    except (UndecodableEvent, ValueError):
        return False
    return place.key in (b"", event_key(decoded.source, decoded.id))
