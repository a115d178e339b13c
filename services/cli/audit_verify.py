"""`caretally audit verify`: is the log, a patient's part of it, or a packet what was written?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.audit_seal import growth
from services.cli.frame import (
    FAILED,
    configured,
    fail,
    in_utf8,
    opened,
    plain,
    print_json,
    print_lines,
    to_json,
)

if TYPE_CHECKING:
    from infra.settings import Settings
    from services.audit.faults import Fault, Findings
    from services.audit.notary import Notary
    from services.audit.verifying import NamedNote
    from services.bootstrap import Parts

SHOWN_MAX = 50

PatientId = Annotated[
    str | None, typer.Option("--patient", help="Only this patient's events.", callback=in_utf8)
]
PracticeId = Annotated[
    str | None,
    typer.Option(
        "--practice",
        help="Whose patient, where several practices have one of that id.",
        callback=in_utf8,
    ),
]
PacketFile = Annotated[
    Path | None,
    typer.Option("--packet", metavar="FILE.zip", help="An evidence packet, without the database."),
]
NoteFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint", metavar="FILE", help="A checkpoint handed out earlier; may be repeated."
    ),
]
KeyFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="FILE", help="A public key, by default ours; several where it changed."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print every fault as JSON, one a line, then a summary.")
]


def verify(
    patient: PatientId = None,
    practice: PracticeId = None,
    packet: PacketFile = None,
    checkpoints: NoteFiles = None,
    keys: KeyFiles = None,
    as_json: AsJson = False,
) -> None:
    """Verify that nothing was changed, taken out, swapped or cut off. Exit 1 if anything was.

    Looks at every event's hashes, at the checkpoints in the database and in the checkpoint folder,
    and at the access log. A packet is verified offline, with a public key alone.

    \b
    Example: caretally audit verify --checkpoint checkpoint-000012.txt --key log.key.pub
    Or: caretally audit verify --packet pt1-2026-03.zip --key log.key.pub
    """
    if packet is not None and (patient is not None or checkpoints):
        fail("--packet: expected no --patient and no --checkpoint beside it")
    settings = configured()
    notary = _notary(settings, keys or [])
    if packet is not None:
        findings = _packet(packet, notary)
    else:
        outside = [_note(path) for path in checkpoints or []]
        with opened(settings) as parts:
            findings = _stored(parts, notary, outside, practice, patient)
    _tell(findings, as_json)
    if findings.count:
        raise typer.Exit(FAILED)


def _notary(settings: Settings, keys: list[Path]) -> Notary:
    """The keys that are named, else our own: from the public half beside the private one."""
    from infra.transparency import NoteError
    from services.audit.notary import Notary, read_verifiers

    ours = Path(f"{settings.signing_key}.pub") if settings.signing_key else None
    try:
        return Notary(read_verifiers(keys or ([ours] if ours else [])))
    except NoteError as error:
        fail(f"--key: {error}")
    except OSError as error:
        fail(f"--key: {error.filename}: {error.strerror}")


def _note(path: Path) -> NamedNote:
    from services.audit.verifying import NamedNote

    try:
        return NamedNote(path.name, path.read_text("utf-8"))
    except OSError as error:
        fail(f"--checkpoint: {path}: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"--checkpoint: {path}: expected a checkpoint's text")


def _packet(path: Path, notary: Notary) -> Findings:
    from services.audit.packet_check import NoPacket, verify_packet

    try:
        return verify_packet(path, notary)
    except NoPacket as error:
        fail(f"--packet: {error}")
    except OSError as error:
        fail(f"--packet: {path}: {error.strerror}")


def _stored(
    parts: Parts,
    notary: Notary,
    outside: list[NamedNote],
    practice: str | None,
    patient: str | None,
) -> Findings:
    from infra.codec import stream_id
    from services.audit.verifying import verify_log, verify_stream
    from services.histories import Unanswerable, practice_of

    folder = parts.settings.checkpoint_folder
    published = [_note(path) for path in sorted(folder.glob("checkpoint-*.txt"))]
    if patient is None:
        with growth(parts) as moved:
            return verify_log(parts.store, notary, [*published, *outside], moved)
    try:
        owner = practice if practice is not None else practice_of(parts.store, patient)
    except Unanswerable as error:
        fail(f"--{error.field}: {error}")
    return verify_stream(parts.store, notary, stream_id(owner, patient), [*published, *outside])


def _tell(findings: Findings, as_json: bool) -> None:
    summary = {
        "events": findings.events,
        "patients": findings.patients,
        "checkpoints": findings.checkpoints,
        "accesses": findings.accesses,
        "faults": findings.count,
        "notes": findings.notes,
    }
    if as_json:
        print_lines(to_json(_line(fault)) for fault in findings)
        print_json(summary)
        return
    for fault in findings.faults[:SHOWN_MAX]:
        print(plain(f"{_where(fault)}{fault.kind}: {fault.sentence}"))
    if findings.count > SHOWN_MAX:
        print(f"… {findings.count:,} in all: see --json")
    for note in findings.notes:
        print(f"note: {note}", file=sys.stderr)
    seen = f"{findings.events:,} events, {findings.checkpoints:,} checkpoints"
    verdict = f"{findings.count:,} faults" if findings.count else "nothing was touched"
    print(f"{seen}, {findings.accesses:,} accesses: {verdict}", file=sys.stderr)


def _line(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind.value,
        "stream": fault.stream_id or None,
        "version": fault.version or None,
        "position": fault.position or None,
        "sentence": fault.sentence,
    }


def _where(fault: Fault) -> str:
    parts = [fault.stream_id] if fault.stream_id else []
    parts += [f"version {fault.version}"] if fault.version else []
    parts += [f"position {fault.position}"] if fault.position else []
    return ", ".join(parts) + ": " if parts else ""
