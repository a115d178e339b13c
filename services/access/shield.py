"""What holds for every request and every answer: host names, origins, headers.

A page of somebody else's may make a browser send requests here: with a host name that it turned
into our address (DNS rebinding), or from its own forms (CSRF). Neither gets through, signed in or
not: what everybody on this machine may do, every page in a browser on it could.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.access_settings import AccessSettings
from services.problems import problem

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HSTS: Final = "max-age=63072000"
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with it browsers would hide the origin of our own forms from us.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def content_policy(issuer: str) -> str:
    """Everything from here alone; forms may also lead to the provider, to sign out there."""
    to = ["'self'", origin_of(issuer)] if issuer else ["'self'"]
    rest = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    return f"default-src 'self'; form-action {' '.join(to)}; {rest}"


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Shield:
    """Refuses what other sites make browsers send, and tells browsers what ours may do."""

    def __init__(self, app: ASGIApp, settings: AccessSettings, probes: Iterable[str]) -> None:
        """`probes` are paths that answer under any name: who probes does not know ours."""
        self._app = app
        self._probes = frozenset(probes)
        self._names = settings.host_names
        self._url = origin_of(settings.http_url) if settings.http_url else ""
        self._headers = {
            **HEADERS,
            "content-security-policy": content_policy(settings.oidc_issuer),
        }
        if settings.is_https:
            self._headers["strict-transport-security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return problem(400, "expected one Host header")
        probed = scope["path"] in self._probes
        if self._names and not probed and _name(hosts[0]) not in self._names:
            detail = "this name is not one of ours; http_names and http_url say which are"
            return problem(421, detail, "Asked under another name")
        if scope["method"] not in SAFE and not self._is_from_here(scope, headers, hosts[0]):
            return problem(403, "another site made your browser send this", "Not from our pages")
        return None

    def _is_from_here(self, scope: Scope, headers: Headers, host: str) -> bool:
        if "authorization" in headers:
            return True  # no page can make a browser send this without asking us before
        fetched = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if origin is not None:
            ours = {f"{scope['scheme']}://{host}".lower(), self._url}
            return origin.lower() in ours and fetched in (None, "same-origin")
        if fetched is not None:
            return fetched in ("same-origin", "none")
        return "cookie" not in headers  # a program, not a browser


def _name(host: str) -> str:
    """The name of a Host header, without its port and brackets."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or not port.isdigit():
        name = host.lower()
    return name.removeprefix("[").removesuffix("]")
