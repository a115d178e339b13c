"""Passwords: what is taken for one, and argon2id over it (RFC 9106)."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

CHARS_MIN: Final = 12
BYTES_MAX: Final = 256
DISTINCT_MIN: Final = 5

_HASHER: Final = PasswordHasher()


class WeakPassword(ValueError):
    """It is not taken; the message says what was expected, and nothing of the password."""


def hashed(name: str, password: str) -> str:
    """The hash to keep. Takes a tenth of a second and 64 MiB. Raises WeakPassword."""
    text = _normal(password)
    if len(text) < CHARS_MIN or len(text.encode()) > BYTES_MAX:
        raise WeakPassword(f"expected {CHARS_MIN} characters or more, at most {BYTES_MAX} bytes")
    if len(set(text)) < DISTINCT_MIN or name in text.lower():
        raise WeakPassword(
            f"expected {DISTINCT_MIN} different characters or more, and not the name in it"
        )
    return _HASHER.hash(text)


def is_right(kept: str | None, password: str) -> bool:
    """Whether it is the password of this hash. Without a hash it takes as long, and is not."""
    text = _normal(password)
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        return False
    try:
        return _HASHER.verify(kept or _nobodys(), text) and kept is not None
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def _normal(password: str) -> str:
    """One form of the same letters, however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
