"""Checkpoints made in time, and put where the database's owner cannot take them back."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from infra.clock import Clock
from infra.eventstore.transparency import LogTree, NumberedNote
from infra.kafka import KafkaSettings
from infra.transparency import Checkpoint, NoteError, Signer, checkpoint_of, text_of
from projections.ports import Store
from services.audit.sealing import Moved, Sealed, SealRefused, seal
from services.serve.worker import Worker

log = logging.getLogger("caretally.checkpoints")

SEND_SECONDS: Final = 15
CONTENT_TYPE: Final = "text/plain; charset=utf-8"
"""Of a checkpoint on Kafka."""
FIRST_SECONDS: Final = 5.0
"""How soon after the start the first one is made."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What signs checkpoints and where they go; `kafka` is None where they go to files alone."""

    store: Store
    signer: Signer
    clock: Clock
    folder: Path
    kafka: KafkaSettings | None

    def seal(self, moved: Moved = lambda _position: None) -> Sealed:
        """Make a checkpoint, if anything was written since the last, and write it to its file.

        Raises SealRefused, and OSError where the folder cannot be written.
        """
        sealed = seal(self.store, self.signer, self.clock, moved, self._published())
        for kept in LogTree(self.store).checkpoints():
            write_note(self.folder, kept)
        return sealed

    def _published(self) -> Checkpoint | None:
        """The last checkpoint in the folder: it knows more than a database that was put back."""
        files = sorted(self.folder.glob("checkpoint-*.txt"))
        try:
            return checkpoint_of(text_of(files[-1].read_text("utf-8"))) if files else None
        except (NoteError, UnicodeDecodeError) as error:
            raise SealRefused(f"{files[-1]}: {error}") from None

    async def send(self) -> int:
        """Send to Kafka what was not acknowledged by it yet; how many were. Raises KafkaError."""
        if self.kafka is None or not self.kafka.checkpoints_topic:
            return 0
        ledger = f"kafka:{self.kafka.checkpoints_topic}"
        after = await asyncio.to_thread(self.store.delivered, ledger)
        notes = await asyncio.to_thread(LogTree(self.store).checkpoints, after)
        if notes:
            await _send(self.kafka, notes)
            await asyncio.to_thread(self.store.set_delivered, ledger, notes[-1].number)
        return len(notes)


def file_of(folder: Path, number: int) -> Path:
    """The file of a checkpoint."""
    return folder / f"checkpoint-{number:06}.txt"


def write_note(folder: Path, kept: NumberedNote) -> None:
    """Write a checkpoint's file, whole or not at all; one that is there is left as it is."""
    path = file_of(folder, kept.number)
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(kept.note)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


async def _send(kafka: KafkaSettings, notes: Sequence[NumberedNote]) -> None:
    """Keyed by origin: one log's checkpoints are in one partition, in order."""
    from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

    producer = AIOKafkaProducer(
        **kafka.client(),
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=SEND_SECONDS * 1000,
    )
    await producer.start()
    try:
        for kept in notes:
            await producer.send_and_wait(
                kafka.checkpoints_topic,
                value=kept.note.encode(),
                key=checkpoint_of(text_of(kept.note)).origin.encode(),
                headers=[("content-type", CONTENT_TYPE.encode())],
            )
    finally:
        await producer.stop()


class _Ended(Exception):
    """A stop was asked for while the tree grew. What it has grown is kept."""


class CheckpointKeeper(Worker):
    """Makes and publishes a checkpoint every so often. Survives outages of store and Kafka."""

    def __init__(self, publication: Callable[[], Publication], every_seconds: float) -> None:
        """`publication` reads the key: a fault in it is told by `ready` and tried again."""
        super().__init__("checkpoints", log, "no checkpoint was published", retry_seconds=1.0)
        self.made = 0
        """Checkpoints made since the start."""
        self._publication, self._every = publication, every_seconds
        self._begun = False

    async def turn(self) -> float:
        if not self._begun:
            self._begun = True
            return min(FIRST_SECONDS, self._every)
        with suppress(_Ended):
            await self._make()
        return self._every

    def fault_of(self, error: Exception) -> str:
        return str(error) if isinstance(error, SealRefused) else super().fault_of(error)

    async def _make(self) -> None:
        publication = self._publication()
        make = partial(publication.seal, self._go_on)
        sealed = await self.call(make)
        if sealed.is_new:
            self.made += 1
            log.info("checkpoint %d: %d events", sealed.number, sealed.checkpoint.size)
        await publication.send()

    def _go_on(self, _position: int) -> None:
        if self.stopping:
            raise _Ended
