"""An EHR for tests: a real HTTP server that hands out tokens for signed assertions."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.eventstore.translated import open_translations
from infra.fhirserver import FhirServer
from services.pulling import Pulling
from tests.fhir.made import Fed, site
from tests.fhir.notified import notification

EVENT = "event-notification"


class Ehr:
    """A FHIR server: resources by reference, searches in pages of two, `$events`."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.public_key: Any = None
        self.tokens: list[str] = []
        self.fails: list[int] = []
        self.events: dict[str, Any] | None = None
        self.statuses: dict[str, Any] = {}
        self.base = ""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self.token, methods=["POST"]),
                Route("/fhir/Subscription/{id}/$events", self.listed),
                Route("/fhir/Subscription/{id}/$status", self.status),
                Route("/fhir/{kind}/{id}", self.read),
                Route("/fhir/{kind}", self.search),
            ]
        )

    async def token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == "system/*.read"
        audience = f"{self.base.removesuffix('/fhir')}/token"
        try:
            jwt.decode(
                form["client_assertion"],
                self.public_key,
                ["RS384", "ES384"],
                audience=audience,
                issuer="client-1",
                options={"require": ["exp", "jti", "sub", "iss", "aud"]},
            )
        except jwt.InvalidTokenError:
            return JSONResponse({"error": "invalid_client"}, 400)
        self.tokens.append(f"token-{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": 300})

    def _refused(self, request: Request) -> Response | None:
        self.asked.append(str(request.url).removeprefix(self.base))
        if self.fails:
            return Response(status_code=self.fails.pop(0))
        wanted = f"Bearer {self.tokens[-1]}" if self.tokens else None
        if self.public_key is not None and request.headers.get("authorization") != wanted:
            return Response(status_code=401)
        return None

    async def read(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        found = self.resources.get(f"{request.path_params['kind']}/{request.path_params['id']}")
        return Response(status_code=410) if found is None else JSONResponse(found)

    async def listed(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        return Response(status_code=404) if self.events is None else JSONResponse(self.events)

    async def status(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        found = self.statuses.get(f"Subscription/{request.path_params['id']}")
        return Response(status_code=404) if found is None else JSONResponse(found)

    async def search(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        kind, start = request.path_params["kind"], int(request.query_params.get("page", 0))
        found = [r for r in self.resources.values() if r["resourceType"] == kind]
        page = found[start : start + 2]
        link = []
        if start + 2 < len(found):
            link = [{"relation": "next", "url": f"{self.base}/{kind}?page={start + 2}"}]
        entry = [{"resource": resource, "search": {"mode": "match"}} for resource in page]
        body = {"resourceType": "Bundle", "type": "searchset", "entry": entry, "link": link}
        return JSONResponse(body)


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    found = Ehr()
    listener = socket.create_server(("127.0.0.1", 0))
    found.base = f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"
    server = uvicorn.Server(uvicorn.Config(found.app(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield found
    server.should_exit = True
    thread.join(10)


def keys(kind: str, folder: Path) -> tuple[Path, Any]:
    key: Any = (
        rsa.generate_private_key(65537, 2048)
        if kind == "RS384"
        else ec.generate_private_key(ec.SECP384R1())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "key.pem"
    path.write_bytes(pem)
    return path, key.public_key()


class Pulled:
    """A store that is notified by this server, and the pull from it."""

    def __init__(
        self,
        fed: Fed,
        ehr: Ehr,
        queries: tuple[str, ...] = (),
        subscriptions: tuple[str, ...] = (),
    ) -> None:
        pull = {"queries": list(queries), "subscriptions": list(subscriptions)}
        self.site = site(source=ehr.base, pull=pull)
        self.fed = Fed(fed.store, self.site)
        self.server = FhirServer(ehr.base)
        self.now = 0.0
        known = open_translations(fed.store)
        self.pulling = Pulling(self.site, self.server, known, self.fed.ingest, lambda: self.now)

    def hear(self, *numbers: int, focus: list[str] | None = None) -> None:
        self.fed.take(notification("r5", EVENT, numbers[-1], list(numbers), focus))


QUERIES = ("Task?_lastUpdated=ge{since}", "Encounter?_lastUpdated=ge{since}")
