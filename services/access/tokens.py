"""Service tokens: made once, shown once, kept as digests."""

from __future__ import annotations

from typing import Final

from infra.accounts import Bounds, ServiceToken
from infra.clock import Clock
from services.access.secrets import TOKEN_PREFIX, digest, new_secret

DAY_US: Final = 86_400_000_000
NAME_CHARS_MAX: Final = 64


class TokenRefused(ValueError):
    """The token is not made; the message says what was expected."""


def new_token(clock: Clock, name: str, bounds: Bounds, days: int) -> tuple[ServiceToken, str]:
    """A token to keep, and the secret to bring, which is not kept. Raises TokenRefused."""
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise TokenRefused(f"expected a name of at most {NAME_CHARS_MAX} printable characters")
    secret, now = new_secret(TOKEN_PREFIX), clock()
    kept = digest(secret)
    made = ServiceToken(f"tok_{kept.hex()[:12]}", name, kept, bounds, now, now + days * DAY_US)
    return made, secret


def state(token: ServiceToken, now_us: int) -> str:
    """`active`, `expired` or `revoked`."""
    if token.revoked_at_us is not None:
        return "revoked"
    return "expired" if now_us >= token.expires_at_us else "active"
