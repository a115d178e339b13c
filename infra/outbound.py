"""HTTP to addresses that subscribers chose: no way into our own network.

The name is looked up once a connection, every address it has is judged, and the connection goes
to an address that was judged: a name that answers differently the second time gains nothing.
Redirects are answers, never followed; proxies of the environment are not used; the certificate is
checked against the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

TIMEOUT_SECONDS = 15.0
"""For a whole attempt, from the look-up to the answer's head."""
ANSWER_BYTES_MAX = 64 * 1024
URL_CHARS_MAX = 2000
_NAT64 = ip_network("64:ff9b::/96")
_NAT64_OF_OURS = ip_network("64:ff9b:1::/48")

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Name and port to addresses."""


class Forbidden(Exception):
    """The address must not be called; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and the wait it asked for, or (status 0) why nothing did."""

    status: int
    retry_after: str = ""
    fault: str = ""

    @property
    def words(self) -> str:
        return self.fault or str(self.status)


def check_url(url: str, allow_private: bool) -> None:
    """Raise ValueError, with what was expected, for a URL that can never be called."""
    parts = urlsplit(url)
    schemes = ("https", "http") if allow_private else ("https",)
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"expected at most {URL_CHARS_MAX} printable ASCII characters")
    if parts.scheme not in schemes or not parts.hostname:
        also = "" if allow_private else " (http only where webhooks_allow_private is set)"
        raise ValueError(f"expected https://HOST/PATH{also}; found {parts.scheme or 'no scheme'}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("expected no user name or password in the URL")
    if parts.fragment:
        raise ValueError("expected no # part in the URL")
    _ = parts.port  # raises ValueError for one that is no port


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet's, also in its IPv6 disguises."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ip_address(int(found) & 0xFFFF_FFFF)  # type: ignore[assignment]
        if inner is not None:
            return is_public(str(inner))
        if found.teredo is not None or found.is_site_local or found in _NAT64_OF_OURS:
            return False
    return found.is_global and not found.is_multicast


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the machine's own resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Judged(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged, whatever the name says later."""

    def __init__(self, allow_private: bool, lookup: Resolve) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allow_private = allow_private
        self._lookup = lookup

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._lookup(host, port)
        except OSError:
            raise httpcore.ConnectError("the name has no address") from None
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Forbidden("the name leads to an address that is not public")
        fault: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
        raise fault

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise Forbidden("no Unix sockets")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class Outbound:
    """Posts to one subscriber, over connections that are its own."""

    def __init__(
        self,
        allow_private: bool = False,
        timeout_seconds: float = TIMEOUT_SECONDS,
        lookup: Resolve = resolve,
        connections: int = 16,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_Judged(allow_private, lookup),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post once. Every fault is an answer; nothing is raised but a cancellation."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._post(url, headers, body)
        except TimeoutError:
            return Answer(0, fault=f"no answer in {self._timeout_seconds:g} s")
        except Forbidden as error:
            return Answer(0, fault=str(error))
        except Exception as error:
            return Answer(0, fault=type(error).__name__)

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        default = 443 if parts.scheme == "https" else 80
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        named = host if parts.port in (None, default) else f"{host}:{parts.port}"
        given = {"Host": named, "Content-Length": str(len(body)), **headers}
        async with self._pool.stream(
            "POST",
            url,
            headers=[(name.encode(), value.encode()) for name, value in given.items()],
            content=body,
        ) as response:
            found = {name.lower(): value for name, value in response.headers}
            read = 0
            async for piece in response.aiter_stream():
                read += len(piece)
                if read > ANSWER_BYTES_MAX:
                    break  # the connection is closed with what is left
            retry_after = found.get(b"retry-after", b"").decode("latin-1")
            return Answer(response.status, retry_after)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
