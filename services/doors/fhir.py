"""The FHIR door: notifications of subscriptions, bundles and bare resources over HTTP.

A rest-hook is answered with 200 once what it brought is durable: as events, as letters for review,
or counted as nothing of ours. Servers end a subscription whose hook refuses, and keep no copy, so
a bad body is kept here too. Only what says nothing about the content is answered otherwise: an
unknown site, too large a body, and an outage (503), after which servers send again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from services.access import Right, needs, principal_of
from services.doors.group import GroupCommit, Unavailable
from services.ingest import Delivery, Ingest
from services.translate.marks import marked
from services.translate.site import Site
from services.wire.limits import BUNDLE_BYTES_MAX

PATH: Final = "/fhir/notify/{site}"
ORIGIN: Final = "fhir-http"
RETRY_AFTER_SECONDS: Final = "5"


def routes(ingest: Ingest, sites: Mapping[str, Site]) -> list[Route]:
    """`POST /fhir/notify/SITE`, and `PUT` or `POST` of `/fhir/notify/SITE/TYPE/ID`, as servers
    send whole resources of plain R4 subscriptions."""
    group = GroupCommit(ingest)

    @needs(Right.FEED)
    async def notified(request: Request) -> Response:
        site = request.path_params["site"]
        profile = sites.get(site)
        if profile is None or not principal_of(request).sees(profile.practice):
            return _outcome(404, "not-found", "expected the name of a site profile in the path")
        try:
            body = await _body(request)
            if body is None:
                return _outcome(413, "too-long", f"expected at most {BUNDLE_BYTES_MAX} bytes")
            await group.take([Delivery(body, None, marked(site), f"{ORIGIN}:{site}")])
        except Unavailable as error:
            return _outcome(503, "transient", f"{error}; send it again")
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        return Response(status_code=200)

    whole = f"{PATH}/{{kind}}/{{id}}"
    return [
        Route(PATH, notified, methods=["POST"]),
        Route(whole, notified, methods=["PUT", "POST"]),
    ]


async def _body(request: Request) -> bytes | None:
    """The whole body, None beyond the limit; then the rest is not read."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length > BUNDLE_BYTES_MAX:
            return None
        parts.append(part)
    return b"".join(parts)


def _outcome(status: int, code: str, sentence: str) -> Response:
    """An OperationOutcome, which is how FHIR servers are told."""
    issue = {"severity": "error", "code": code, "diagnostics": sentence}
    body: dict[str, Any] = {"resourceType": "OperationOutcome", "issue": [issue]}
    headers = {"retry-after": RETRY_AFTER_SECONDS} if status == 503 else {}
    return Response(msgspec.json.encode(body), status, headers, "application/fhir+json")
