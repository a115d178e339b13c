"""The API as one application, to be mounted under `/api/v1`."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from functools import cached_property

import msgspec
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import Receive, Scope, Send

from infra.settings import Settings
from services.access import OPEN, needs
from services.api import (
    alerts,
    asking,
    assessments,
    audits,
    explanations,
    faults,
    letters,
    panels,
    timelines,
)
from services.api.addresses import API, WholeParts
from services.api.desk import Answer, Desk, conditional
from services.api.methods import Methods
from services.api.openapi import document
from services.api.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    *assessments.ROUTES,
    *explanations.ROUTES,
    *timelines.ROUTES,
    *alerts.ROUTES,
    *panels.ROUTES,
    *letters.ROUTES,
    *audits.ROUTES,
)


UNTOLD: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""Whatever it would tell of requests may be about a patient: parameters, paths, errors' words."""


class Api:
    """An ASGI application; its routes can be walked."""

    def __init__(self, desk: Desk, settings: Settings, beside: Sequence[BaseRoute]) -> None:
        self._settings = settings
        self._desk = desk
        self._fastapi = _fastapi(desk)
        self._fastapi.add_route("/openapi.json", self._described, include_in_schema=False)
        self._fastapi.add_route("/alerts/stream", alerts.stream, include_in_schema=False)
        self._app = WholeParts(Methods(self._fastapi, lambda: self.routes, beside))

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return self._fastapi.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @needs(OPEN)
    async def _described(self, request: Request) -> Response:
        """The document; the one answer that is compressed: it holds no secret beside which
        somebody could put a guess."""
        accepted = ",".join(request.headers.getlist("accept-encoding")).lower()
        return conditional(request, self._packed if "gzip" in accepted else self._plain)

    @cached_property
    def _plain(self) -> Answer:
        found = document(self._fastapi, RESOURCES, self._settings)
        return Answer(msgspec.json.encode(found), headers={"vary": "accept-encoding"})

    @cached_property
    def _packed(self) -> Answer:
        headers = {"vary": "accept-encoding", "content-encoding": "gzip"}
        return Answer(gzip.compress(self._plain.body, mtime=0), headers=headers)


def mounted(desk: Desk, settings: Settings, beside: Sequence[BaseRoute] = ()) -> Mount:
    """The API at its address, for a process's routes; `beside` are others under that address."""
    made = Mount(API, app=Api(desk, settings, beside))
    # As it is made a line end in a path leads past it, to an answer that is not ours.
    made.path_regex = re.compile(made.path_regex.pattern, re.DOTALL)
    return made


def _fastapi(desk: Desk) -> FastAPI:
    api = FastAPI(openapi_url=None, redirect_slashes=False, telemetry=UNTOLD)
    api.state.desk = desk
    for resource in RESOURCES:
        api.add_api_route(
            resource.path,
            resource.endpoint,
            dependencies=[Depends(asking.only_known)],
            methods=[resource.method],
            tags=[resource.tag],
            operation_id=resource.endpoint.__name__,
            response_class=Response,
        )
    api.add_exception_handler(faults.Fault, faults.on_fault)
    api.add_exception_handler(RequestValidationError, faults.on_invalid)
    api.add_exception_handler(HTTPException, faults.on_http)
    api.add_exception_handler(Exception, faults.on_error)
    return api
