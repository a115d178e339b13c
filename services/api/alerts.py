"""Alert transitions, page by page; they are followed live at `/alerts/stream`."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.access import Right, needs
from services.api import asking
from services.api.cursors import unsealed
from services.api.desk import Answer, desk_of, seen
from services.api.paging import filters, page
from services.api.resource import Resource, pages_of
from services.notify.stream import PATH as STREAM
from services.views.alerts import Chosen, alerts_page


@dataclass(frozen=True, slots=True)
class AlertItem:
    """A transition and its position: the id of the stream's event, so that a reader of pages can
    go on with `Last-Event-ID`."""

    position: int
    alert: msgspec.Raw


@needs(Right.READ)
async def alerts(
    request: Request,
    practice: asking.Practice = None,
    patient: asking.Patient = None,
    month: asking.Month = None,
    type: asking.AlertWord = None,
    code: asking.Code = None,
    state: asking.StateWord = None,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Every alert transition stored, oldest first; those that no sink may hear of say why.

    An alert's body is the one that is sent to subscribers. To follow what comes, read
    `/alerts/stream` (server-sent events, right `subscribe`) from the last `position` on.
    """
    desk = desk_of(request)
    chosen = Chosen(seen(request, practice), patient, month, type, code, state)
    after = unsealed(cursor, request.url.path, filters(request), int) or 0

    def read() -> Answer:
        found = alerts_page(desk.parts.store, chosen, after, limit)
        items = [AlertItem(row.position, msgspec.Raw(row.body)) for row in found.items]
        return page(request, items, found.next)

    return await desk.read(request, filters(request), read)


@needs(Right.SUBSCRIBE)
async def stream(request: Request) -> Response:
    """Leads to the stream, with the question as it was asked."""
    query = request.url.query
    return RedirectResponse(f"{STREAM}?{query}" if query else STREAM, 307)


ROUTES = (Resource("/alerts", alerts, pages_of("AlertItem"), tag="alerts"),)
