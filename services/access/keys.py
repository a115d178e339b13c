"""A provider's signing keys, and whether an ID token is signed by one of them, for us, now."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, Final

import jwt
from jwt import PyJWK, PyJWKSet

from infra.clock import Clock
from services.access.limits import Monotonic

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Public keys alone: with a shared secret whoever can check could also sign."""

KINDS: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}

LEEWAY_SECONDS: Final = 60
"""How far their clock may be from ours."""

FRESH_SECONDS: Final = 3600.0
"""A key that the provider has withdrawn is believed no longer than this."""
AGAIN_SECONDS: Final = 10.0
"""Unknown keys make us ask anew no more often than this."""


class Untrue(ValueError):
    """A token proves nothing; the message says what was expected."""


class Keys:
    """The provider's keys, asked for again when they are old or one is unknown (rotation)."""

    def __init__(
        self, ask: Callable[[], Awaitable[Any]], monotonic: Monotonic = time.monotonic
    ) -> None:
        """`ask` gives the provider's key set."""
        self._ask, self._monotonic = ask, monotonic
        self._keys: list[PyJWK] = []
        self._asked_at: float | None = None

    async def of(self, token: str) -> PyJWK:
        """The key that a token says it was signed with. Raises Untrue."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Untrue("expected a signed ID token") from None
        algorithm, id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise Untrue(f"expected an ID token signed with one of {', '.join(ALGORITHMS)}")
        unknown = self._find(id, algorithm) is None
        if self._age() >= (AGAIN_SECONDS if unknown else FRESH_SECONDS):
            await self._ask_again()
        found = self._find(id, algorithm)
        if found is None:
            raise Untrue("expected an ID token signed with one of the provider's keys")
        return found

    def _age(self) -> float:
        return inf if self._asked_at is None else self._monotonic() - self._asked_at

    def _find(self, id: str | None, algorithm: str) -> PyJWK | None:
        fit = [key for key in self._keys if _fits(key, algorithm)]
        named = [key for key in fit if key.key_id == id] if id is not None else fit
        return named[0] if len(named) == 1 else None

    async def _ask_again(self) -> None:
        said = await self._ask()
        try:
            found = PyJWKSet.from_dict(said).keys
        except (jwt.PyJWTError, AttributeError, TypeError, KeyError, ValueError):
            raise Untrue("expected a set of keys from the provider") from None
        self._keys = [key for key in found if key.public_key_use in (None, "sig")]
        self._asked_at = self._monotonic()


def _fits(key: PyJWK, algorithm: str) -> bool:
    """A key without an algorithm of its own serves every one of its kind."""
    if "alg" in key._jwk_data:
        return key.algorithm_name == algorithm
    return bool(key.key_type == KINDS[algorithm[:2]])


def claims_of(
    token: str, key: PyJWK, issuer: str, client_id: str, nonce: str, clock: Clock
) -> dict[str, Any]:
    """The claims of an ID token that is true: signature, issuer, audience, times, nonce (OpenID
    Connect Core 3.1.3.7). Raises Untrue."""
    named = jwt.get_unverified_header(token)["alg"]
    required = ["iss", "aud", "sub", "exp", "iat"]
    try:
        # Times are looked at below, by the clock that everything here goes by.
        claims = jwt.decode(
            token,
            key.key,
            algorithms=[named],
            audience=client_id,
            issuer=issuer,
            options={
                "require": required,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWTError as error:
        raise Untrue(f"expected a true ID token: {error}") from None
    _in_time(claims, clock() // 1_000_000)
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise Untrue("expected the nonce of this sign-in")
    audience = claims["aud"]
    party = claims.get("azp", None if isinstance(audience, list) and audience[1:] else client_id)
    if party != client_id:
        raise Untrue("expected an ID token made for us")
    return claims


def _in_time(claims: dict[str, Any], now: int) -> None:
    times = [claims.get(name, 0) for name in ("exp", "iat", "nbf")]
    if not all(isinstance(at, int | float) and not isinstance(at, bool) for at in times):
        raise Untrue("expected numbers for the times of the ID token")
    expires, issued, begins = times
    if now >= expires + LEEWAY_SECONDS:
        raise Untrue("expected an ID token that is not over")
    if max(issued, begins) > now + LEEWAY_SECONDS:
        raise Untrue("expected an ID token that has begun: are the clocks right?")
