"""A FHIR server that is asked back: read one resource, page through a search, list old events.

Authorisation is SMART Backend Services: a signed assertion for a short-lived token. Only the
configured addresses are asked; redirects and links to other servers are not followed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec

TIMEOUT_SECONDS = 30.0
ANSWER_BYTES_MAX = 16 * 1_048_576
PAGES_MAX = 10_000
ASSERTION_SECONDS = 240
"""SMART allows five minutes."""
TOKEN_MARGIN_SECONDS = 30
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FHIR_JSON = "application/fhir+json"


class ServerOut(Exception):
    """The server does not answer, or not now. The words name nothing of what was asked."""


class Refused(Exception):
    """The server answered that it will not: asking again at once is of no use."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server refused with {status}")
        self.status = status


class Credentials:
    """Who we are to the server: a client id and a private key in PEM."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        key_file: Path,
        scope: str,
        algorithm: str = "RS384",
        key_id: str | None = None,
    ) -> None:
        """Raises OSError when the key cannot be read."""
        self._token_url, self._client_id, self._scope = token_url, client_id, scope
        self._key, self._algorithm, self._key_id = key_file.read_bytes(), algorithm, key_id
        self._token, self._until = "", 0.0

    def header(self, client: httpx.Client, now: float) -> dict[str, str]:
        """The authorisation for a request; asks for a new token when the old one runs out."""
        if now >= self._until:
            self._ask(client, now)
        return {"authorization": f"Bearer {self._token}"}

    def forget(self) -> None:
        """The token was refused."""
        self._until = 0.0

    def _ask(self, client: httpx.Client, now: float) -> None:
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._token_url,
            "exp": int(now) + ASSERTION_SECONDS,
            "jti": str(uuid.uuid4()),
        }
        headers = {"kid": self._key_id} if self._key_id else None
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": _ASSERTION,
            "client_assertion": jwt.encode(claims, self._key, self._algorithm, headers),
        }
        answer = client.post(self._token_url, data=form, headers={"accept": "application/json"})
        if answer.status_code != 200:
            raise ServerOut(f"no token was given ({answer.status_code})")
        said = _json(answer.content)
        token, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int | float):
            raise ServerOut("no token was given (the answer has none)")
        self._token, self._until = token, now + max(0.0, seconds - TOKEN_MARGIN_SECONDS)


class FhirServer:
    """One server. Blocking calls, for a thread of their own; not for several at once."""

    def __init__(
        self,
        base: str,
        credentials: Credentials | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` is in seconds since the epoch: assertions carry it."""
        self._base, self._credentials, self._now = base, credentials, now
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    def read(self, reference: str) -> bytes | None:
        """The current version of `Type/id`; None when it is gone. Raises `ServerOut`, `Refused`."""
        try:
            return self._get(f"{self._base}/{reference}")
        except Refused as refusal:
            if refusal.status in (404, 410):
                return None
            raise

    def search(self, query: str) -> Iterator[bytes]:
        """The pages of a search, each a bundle. Raises as `read`."""
        url: str | None = f"{self._base}/{query}"
        for _ in range(PAGES_MAX):
            if url is None:
                return
            page = self._get(url)
            yield page
            url = self._next(page)
        raise ServerOut("a search does not end")

    def events(self, subscription: str, first: int, last: int) -> bytes | None:
        """The notification of old events of a subscription; None where the server has no such
        operation."""
        reference = subscription.removeprefix(f"{self._base}/")
        if not reference.startswith("Subscription/") or "/" in reference.partition("/")[2]:
            return None
        query = f"$events?eventsSinceNumber={first}&eventsUntilNumber={last}&content=id-only"
        try:
            return self._get(f"{self._base}/{reference}/{query}")
        except Refused:
            return None

    def status(self, subscription: str) -> bytes | None:
        """The answer to `$status` of `Subscription/id`; None where the server has no such
        operation or no such subscription."""
        try:
            return self._get(f"{self._base}/{subscription}/$status")
        except Refused:
            return None

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _get(self, url: str) -> bytes:
        try:
            answer = self._ask(url)
            if answer.status_code == 401 and self._credentials is not None:
                self._credentials.forget()
                answer = self._ask(url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerOut(type(error).__name__) from None
        status = answer.status_code
        if status == 200:
            return answer.content
        if status in (401, 408, 429) or status >= 500:
            raise ServerOut(f"the server answered {status}")
        raise Refused(status)

    def _ask(self, url: str) -> httpx.Response:
        headers = {"accept": _FHIR_JSON}
        if self._credentials is not None:
            headers |= self._credentials.header(self._client, self._now())
        with self._client.stream("GET", url, headers=headers) as answer:
            body = bytearray()
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    raise ServerOut(f"an answer has over {ANSWER_BYTES_MAX} bytes")
            return httpx.Response(answer.status_code, content=bytes(body))

    def _next(self, page: bytes) -> str | None:
        links = _json(page).get("link")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("relation") == "next":
                url = str(link.get("url"))
                url = url if "://" in url else f"{self._base}/{url.lstrip('/')}"
                if not url.startswith((f"{self._base}/", f"{self._base}?")):
                    raise ServerOut("the next page of a search is on another server")
                return url
        return None


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ServerOut("an answer is not JSON") from None
    return found if isinstance(found, dict) else {}
