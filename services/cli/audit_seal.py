"""`caretally audit keygen`, `checkpoint`, `prove`: sealing the log, and proofs from the seal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import FAILED, fail, in_one_line, opened, print_json, print_lines, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.audit.publishing import Publication
    from services.bootstrap import Parts

KeyFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="Where the private key goes.", show_default=False)
]
KeyName = Annotated[
    str | None,
    typer.Option(
        "--name", help="The log's name, such as clinic.example/log; by default the machine's."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
EventName = Annotated[
    tuple[str, str] | None,
    typer.Option("--event", metavar="SOURCE ID", help="Prove that this event is in the log."),
]
From = Annotated[int | None, typer.Option("--from", min=1, help="The size of the earlier log.")]
To = Annotated[
    int | None, typer.Option("--to", min=1, help="The size of the later one; by default the last.")
]


def keygen(file: KeyFile, name: KeyName = None) -> None:
    """Make the key that signs checkpoints. FILE for its owner alone, FILE.pub to hand out.

    Set CARETALLY_SIGNING_KEY to FILE. Whoever has it can sign another history: keep it from those
    who can write the database.

    \b
    Example: caretally audit keygen /etc/caretally/log.key --name clinic.example/log
    """
    from socket import gethostname

    from infra.transparency import NoteError, Signer, write_keys

    try:
        signer = Signer.new(name if name is not None else f"{gethostname()}/caretally")
        public = write_keys(file, signer)
    except NoteError as error:
        fail(f"--name: {error}")
    except OSError as error:
        fail(f"{error.filename or file}: {error.strerror}; a key is never written over")
    print(signer.verifier.text())
    print(f"private key {file}, public key {public}", file=sys.stderr)


def checkpoint(as_json: AsJson = False) -> None:
    """Seal the log as it is now. Signs its size and root hash, writes and sends the note.

    It goes into the database, the checkpoint folder, and Kafka where that is configured.

    \b
    Example: caretally audit checkpoint --json
    """
    from services.audit.sealing import SealRefused

    with opened() as parts:
        publication = signing(parts)
        try:
            with growth(parts) as moved:
                sealed = publication.seal(moved)
        except SealRefused as error:
            fail(f"{error}; see: caretally audit verify", FAILED)
        except OSError as error:
            fail(f"{publication.folder}: {error.strerror}", FAILED)
        sent = _send(publication)
        if as_json:
            said = sealed.checkpoint
            print_json(
                {
                    "number": sealed.number,
                    "new": sealed.is_new,
                    "origin": said.origin,
                    "size": said.size,
                    "accesses": said.accesses,
                    "time": said.time,
                    "sent": sent,
                    "note": sealed.note,
                }
            )
        else:
            print_lines([sealed.note.encode().rstrip(b"\n")])
            state = "made" if sealed.is_new else "made before, nothing is new"
            where = f"{publication.folder}, {sent} sent to Kafka"
            print(f"checkpoint {sealed.number} {state}: {where}", file=sys.stderr)


def _send(publication: Publication) -> int:
    import asyncio

    if publication.kafka is None:
        return 0
    try:
        return asyncio.run(publication.send())
    except Exception as error:
        fail(f"Kafka: {in_one_line(error)}; the checkpoint is kept and sent the next time", FAILED)


def prove(event: EventName = None, first: From = None, to: To = None) -> None:
    """Prove that an event is in the log, or that one log is a beginning of another.

    By the hashes of RFC 6962, as one JSON object, an event's with the signed checkpoint.

    \b
    Example: caretally audit prove --event /ehr 1234
    Or: caretally audit prove --from 1000 --to 5000
    """
    if (event is None) == (first is None):
        fail("expected --event SOURCE ID or --from SIZE, one of the two")
    from services.audit.proving import Unprovable

    with opened() as parts:
        try:
            found = _inclusion(parts, *event) if event else _consistency(parts, first or 0, to)
        except Unprovable as error:
            fail(str(error))
    print_lines([to_json(found)])


def _inclusion(parts: Parts, source: str, id: str) -> dict[str, object]:
    from infra.eventstore.transparency import LogTree
    from infra.transparency import checkpoint_of, text_of
    from services.audit.proving import Unprovable, event_named, inclusions

    last = LogTree(parts.store).last_checkpoint()
    if last is None:
        raise Unprovable("there is no checkpoint yet; make one: caretally audit checkpoint")
    event = event_named(parts.store, source, id)
    (proof,) = inclusions(parts.store, [event], checkpoint_of(text_of(last.note)))
    return {"inclusion": proof.as_json(), "checkpoint": last.note}


def _consistency(parts: Parts, first: int, to: int | None) -> dict[str, object]:
    from infra.eventstore.transparency import LogTree
    from services.audit.proving import consistency

    size = to if to is not None else LogTree(parts.store).size()
    return {"consistency": consistency(parts.store, first, size).as_json()}


def signing(parts: Parts) -> Publication:
    """What signs checkpoints, or the end of the command."""
    from infra.transparency import NoteError
    from services.bootstrap import publication

    if not parts.settings.signing_key:
        fail("CARETALLY_SIGNING_KEY is not set; make a key: caretally audit keygen FILE")
    try:
        return publication(parts)
    except NoteError as error:
        fail(f"CARETALLY_SIGNING_KEY: {error}")
    except OSError as error:
        fail(f"CARETALLY_SIGNING_KEY: {parts.settings.signing_key}: {error.strerror}")


@contextmanager
def growth(parts: Parts) -> Iterator[Callable[[int], None]]:
    """A progress bar over the log on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _position: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("events", total=parts.store.head())
        yield lambda position: bar.update(task, completed=position)
