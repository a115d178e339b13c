"""Checkpoints as others handed them out, opened with public keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.transparency import (
    Checkpoint,
    NoteError,
    Verifier,
    checkpoint_of,
    text_of,
    verifier_of,
)


class Notary:
    """Opens notes with the public keys it knows. Without any it reads them unchecked."""

    def __init__(self, verifiers: Sequence[Verifier]) -> None:
        self._verifiers = {(v.name, v.key): v for v in verifiers}

    @property
    def knows_keys(self) -> bool:
        return bool(self._verifiers)

    def open(self, note: str) -> Checkpoint:
        """What a note says, if one of the keys signed it. Raises NoteError."""
        if not self._verifiers:
            return checkpoint_of(text_of(note))
        errors = []
        for verifier in self._verifiers.values():
            try:
                return _own(verifier, note)
            except NoteError as error:
                errors.append(str(error))
        raise NoteError("; ".join(errors))


def _own(verifier: Verifier, note: str) -> Checkpoint:
    found = checkpoint_of(verifier.open(note))
    if found.origin != verifier.name:
        raise NoteError(f"it is of another log: {found.origin}, expected {verifier.name}")
    return found


def read_verifiers(paths: Iterable[Path]) -> list[Verifier]:
    """Public keys from their files, one or more a file. Raises NoteError and OSError."""
    found = []
    for path in paths:
        try:
            lines = path.read_text("utf-8").split("\n")
            found += [verifier_of(line) for line in lines if line.strip()]
        except (NoteError, UnicodeDecodeError) as error:
            raise NoteError(f"{path}: {error}") from None
    return found
