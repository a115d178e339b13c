"""Signatures of the Standard Webhooks specification: symmetric, one for every secret in force."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from projections.deliveries import Secret

PREFIX = "whsec_"
KEY_BYTES = 32
KEY_BYTES_MIN, KEY_BYTES_MAX = 24, 64
"""The specification's bounds."""


def new_secret() -> str:
    """A fresh secret, to be told to the subscriber once."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def check_secret(text: str) -> None:
    """Raise ValueError, with what was expected, for a secret of the wrong form."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise ValueError(
            f"expected {PREFIX} and {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes in base64"
        )


def in_force(secrets: Sequence[Secret], now_us: int) -> list[Secret]:
    """The secrets that have not expired."""
    return [s for s in secrets if s.expires_at_us is None or s.expires_at_us > now_us]


def signed_headers(
    message_id: str, body: bytes, secrets: Sequence[Secret], now_us: int
) -> dict[str, str]:
    """The headers of one attempt at `now_us`."""
    at = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    text = body.decode()
    signatures = [
        Webhook(secret.text).sign(message_id, at, text) for secret in in_force(secrets, now_us)
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "caretally",
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(now_us // 1_000_000),
        "Webhook-Signature": " ".join(signatures),
    }
