"""Signed notes and their keys: a few lines of text with Ed25519 signatures below.

The format is C2SP's signed note (https://c2sp.org/signed-note), which transparency logs and their
witnesses use, so that their tools read and check ours. Keys are written as those tools write them.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"
_DASH = "— "
_KEY_BYTES = 32


class NoteError(ValueError):
    """A note or a key that is not what it should be; says what was expected."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name of whose it is."""

    name: str
    key: bytes
    """32 bytes."""

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def text(self) -> str:
        """`NAME+ID+KEY`: the form in which it is handed out."""
        return f"{self.name}+{self.id.hex()}+{_b64(_ED25519 + self.key)}"

    def open(self, note: str) -> str:
        """The signed text of a note, if it bears this key's signature. Raises NoteError."""
        text, signatures = _parted(note)
        for name, blob in signatures:
            if name == self.name and blob[:4] == self.id:
                try:
                    Ed25519PublicKey.from_public_bytes(self.key).verify(blob[4:], text.encode())
                except InvalidSignature:
                    raise NoteError(f"the signature of {self.name} is not valid") from None
                return text
        raise NoteError(f"it is not signed by {self.name} with key {self.id.hex()}")


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name of whose it is. Its repr does not show the key."""

    name: str
    _seed: bytes

    @classmethod
    def new(cls, name: str) -> Signer:
        """A new key. Raises NoteError for a name that cannot stand in a note."""
        if not name or "+" in name or any(c.isspace() or not c.isprintable() for c in name):
            raise NoteError(f"key name {name[:60]!r}: expected text without blanks and '+'")
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def verifier(self) -> Verifier:
        key = Ed25519PrivateKey.from_private_bytes(self._seed).public_key()
        return Verifier(self.name, key.public_bytes_raw())

    def sign(self, text: str) -> str:
        """The note: the text, which ends its last line, with our signature."""
        signature = Ed25519PrivateKey.from_private_bytes(self._seed).sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {_b64(self.verifier.id + signature)}\n"

    def text(self) -> str:
        id = self.verifier.id.hex()
        return f"{_PRIVATE}{self.name}+{id}+{_b64(_ED25519 + self._seed)}"

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"


def text_of(note: str) -> str:
    """The text of a note, whoever signed it. Raises NoteError."""
    return _parted(note)[0]


def verifier_of(text: str) -> Verifier:
    """A public key from its handed-out form. Raises NoteError."""
    name, key, id = _key(text.strip(), "a public key NAME+ID+KEY")
    verifier = Verifier(name, key)
    if verifier.id.hex() != id:
        raise NoteError("the public key's id is not that of its name and key")
    return verifier


def signer_of(text: str) -> Signer:
    """A private key from its file's text. Raises NoteError, which never shows the key."""
    text = text.strip()
    if not text.startswith(_PRIVATE):
        raise NoteError(f"expected a private key {_PRIVATE}NAME+ID+KEY")
    name, seed, id = _key(text.removeprefix(_PRIVATE), "a private key")
    signer = Signer(name, seed)
    if signer.verifier.id.hex() != id:
        raise NoteError("the private key's id is not that of its name and key")
    return signer


def read_signer(path: Path) -> Signer:
    """The private key in a file that only its owner may read. Raises NoteError and OSError."""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise NoteError(f"{path}: others may read this private key; expected mode 0600")
    try:
        return signer_of(path.read_text("utf-8"))
    except (NoteError, UnicodeDecodeError) as error:
        raise NoteError(f"{path}: {error}") from None


def write_keys(path: Path, signer: Signer) -> Path:
    """Write the private key to `path` (mode 0600) and the public one beside it, `….pub`.

    Raises FileExistsError: a key is never written over.
    """
    public = path.with_name(path.name + ".pub")
    if public.exists():
        raise FileExistsError(17, "it exists already", str(public))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(signer.text() + "\n")
    public.write_text(signer.verifier.text() + "\n", "utf-8")
    return public


def _parted(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text with its last line end, and the signatures by name."""
    text, blank, below = note.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise NoteError("expected text, an empty line and signatures; found no signed note")
    return text + "\n", [_signature(line) for line in below[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    name, blank, blob = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not blank:
        raise NoteError("a line below the text is no signature: expected '— NAME SIGNATURE'")
    return name, _unb64(blob)


def _key(text: str, expected: str) -> tuple[str, bytes, str]:
    name, _, rest = text.partition("+")
    id, _, blob = rest.partition("+")
    try:
        data = _unb64(blob)
    except NoteError:
        data = b""
    if not name or data[:1] != _ED25519 or len(data) != 1 + _KEY_BYTES:
        raise NoteError(f"expected {expected} for Ed25519")
    return name, data[1:], id


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or _b64(data) != text:  # bits that no byte takes up must not vary either
        raise NoteError("expected base64")
    return data
