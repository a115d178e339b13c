"""An OpenID Connect provider: the authorization code flow with PKCE, seen from our side.

Nothing of the provider's is kept: the tokens are read once, at sign-in, and dropped.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx

from infra.access_settings import AccessSettings
from infra.addresses import is_loopback
from infra.clock import Clock
from services.access.claims import Person, reading_of
from services.access.keys import Keys, Untrue, claims_of
from services.access.limits import Monotonic

TIMEOUT_SECONDS: Final = 10.0
ANSWER_BYTES_MAX: Final = 1 << 20
METADATA_SECONDS: Final = 3600.0
CALLBACK: Final = "/auth/callback"
SIGNED_OUT: Final = "/auth/signed-out"


class ProviderOut(Exception):
    """The provider cannot be reached, or answers something else than it should."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way. It lies in a cookie of the browser that began it, and ends there."""

    state: str
    nonce: str
    verifier: str
    to: str

    def text(self) -> str:
        said = json.dumps([self.state, self.nonce, self.verifier, self.to])
        return base64.urlsafe_b64encode(said.encode()).decode()

    @classmethod
    def from_text(cls, text: str) -> Attempt | None:
        """None for what is none of ours."""
        try:
            said = json.loads(base64.urlsafe_b64decode(text))
        except ValueError:
            return None
        fit = isinstance(said, list) and len(said) == 4
        return cls(*said) if fit and all(isinstance(one, str) for one in said) else None


class Provider:
    """The configured provider. What it publishes of itself is asked for when it is needed."""

    def __init__(
        self, settings: AccessSettings, clock: Clock, monotonic: Monotonic = time.monotonic
    ) -> None:
        """Raises ValueError for settings that cannot be used."""
        self._settings, self._clock, self._monotonic = settings, clock, monotonic
        self._reading = reading_of(settings)
        self._keys = Keys(self._key_set, monotonic)
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self.name = urlsplit(settings.oidc_issuer).hostname or settings.oidc_issuer

    async def begin(self, base: str, to: str) -> tuple[str, Attempt]:
        """Where the browser goes to sign in, and what it keeps meanwhile. Raises ProviderOut."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        attempt = Attempt(state, nonce, verifier, to)
        challenge = base64.urlsafe_b64encode(sha256(attempt.verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._ours(base, CALLBACK),
            "scope": self._settings.oidc_scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return _with(await self._endpoint("authorization_endpoint"), asked), attempt

    async def finish(self, base: str, said: Mapping[str, str], attempt: Attempt) -> Person:
        """Whom the provider signed in. Raises Untrue, NoPlaceHere and ProviderOut."""
        if not hmac.compare_digest(said.get("state", "").encode(), attempt.state.encode()):
            raise Untrue("expected the state of this browser's sign-in")
        metadata = await self._about()
        named = metadata.get("authorization_response_iss_parameter_supported") is True
        if said.get("iss", None if named else self._settings.oidc_issuer) != (
            self._settings.oidc_issuer
        ):
            raise Untrue("expected an answer of the configured issuer")
        if "error" in said:
            raise Untrue(f"the provider refused: {said['error'][:60]}")
        if not (code := said.get("code")):
            raise Untrue("expected a code from the provider")
        tokens = await self._tokens(self._ours(base, CALLBACK), code, attempt.verifier)
        claims = await self._claims(tokens, attempt.nonce)
        return self._reading.person(claims)

    async def end_address(self, base: str) -> str | None:
        """Where the browser goes to sign out there too; None where the provider offers nothing, or
        cannot be reached, or at another place than forms of ours may lead to."""
        try:
            end = await self._endpoint("end_session_endpoint")
        except ProviderOut:
            return None
        if urlsplit(end).netloc != urlsplit(self._settings.oidc_issuer).netloc:
            return None
        back = self._ours(base, SIGNED_OUT)
        asked = {"client_id": self._settings.oidc_client_id, "post_logout_redirect_uri": back}
        return _with(end, asked)

    def _ours(self, base: str, path: str) -> str:
        return (self._settings.http_url or base).rstrip("/") + path

    async def _tokens(self, redirect: str, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        }
        headers = {}
        id, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret
        known = (await self._about()).get("token_endpoint_auth_methods_supported")
        if not secret.get_secret_value():
            form["client_id"] = id
        elif isinstance(known, list) and "client_secret_basic" not in known:
            form |= {"client_id": id, "client_secret": secret.get_secret_value()}
        else:
            pair = f"{quote_plus(id)}:{quote_plus(secret.get_secret_value())}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return await self._ask(await self._endpoint("token_endpoint"), form, headers)

    async def _claims(self, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """Of the ID token, and of the provider's own page about the person where more is wanted."""
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise Untrue("expected an ID token from the provider")
        key = await self._keys.of(token)
        settings = self._settings
        claims = claims_of(
            token, key, settings.oidc_issuer, settings.oidc_client_id, nonce, self._clock
        )
        access, about = tokens.get("access_token"), await self._about()
        if not isinstance(access, str) or not about.get("userinfo_endpoint"):
            return claims
        if not self._reading.missing_from(claims):
            return claims
        bearer = {"authorization": f"Bearer {access}"}
        more = await self._ask(await self._endpoint("userinfo_endpoint"), None, bearer)
        if more.get("sub") != claims["sub"]:
            raise Untrue("expected the provider to tell of the same person")
        return {**more, **claims}

    async def _key_set(self) -> Any:
        return await self._ask(await self._endpoint("jwks_uri"))

    async def _endpoint(self, name: str) -> str:
        """An endpoint of the provider that is safe to use. Raises ProviderOut."""
        url = (await self._about()).get(name)
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if parts.scheme == "https" or (
            parts.scheme == "http" and is_loopback(parts.hostname or "")
        ):
            return cast(str, url)
        raise ProviderOut(f"expected an https address as its {name}")

    async def _about(self) -> dict[str, Any]:
        """What the provider publishes of itself."""
        now = self._monotonic()
        if self._metadata is not None and now - self._metadata[0] < METADATA_SECONDS:
            return self._metadata[1]
        issuer = self._settings.oidc_issuer
        said = await self._ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise ProviderOut("it calls itself otherwise than oidc_issuer does")
        self._metadata = now, said
        return said

    async def _ask(
        self, url: str, form: dict[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Its JSON. Raises ProviderOut; what it says of a fault may quote the code: not told."""
        wanted = {"accept": "application/json", **(headers or {})}
        body = bytearray()
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client,
                client.stream("POST" if form else "GET", url, data=form, headers=wanted) as answer,
            ):
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ProviderOut("it answers with too much")
            said = json.loads(body) if answer.status_code == 200 else None
            if form and 400 <= answer.status_code < 500:
                raise Untrue("expected a code that the provider takes, and takes once")
        except Untrue:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderOut(f"{type(error).__name__} at {urlsplit(url).path}") from None
        if not isinstance(said, dict):
            raise ProviderOut(f"it answers {answer.status_code} at {urlsplit(url).path}")
        return said


def _with(url: str, asked: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"
