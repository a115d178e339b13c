"""Random texts that prove something, and the digests under which they are kept.

They have 256 random bits: a plain SHA-256 cannot be turned back, and looking one up by its digest
tells nothing of how much of a guess was right.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

TOKEN_PREFIX: Final = "ctk_"
"""Lets scanners of leaked secrets know a service token."""


def new_secret(prefix: str = "") -> str:
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str | bytes) -> bytes:
    """Under which a secret is kept."""
    return sha256(secret.encode() if isinstance(secret, str) else secret).digest()
