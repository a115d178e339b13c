"""Figures of practices' months, and the practices there are."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from services.access import Right, needs
from services.api import asking
from services.api.cursors import unsealed
from services.api.desk import Answer, desk_of, seen
from services.api.paging import filters, page
from services.api.resource import Resource, pages_of
from services.views.panels import panel_months
from services.views.people import practices_seen


@dataclass(frozen=True, slots=True)
class Practice:
    practice_id: str


@needs(Right.READ)
async def practices(
    request: Request, limit: asking.Limit = asking.PAGE, cursor: asking.Cursor = None
) -> Response:
    """The practices with patients that you may see."""
    desk = desk_of(request)
    after = unsealed(cursor, request.url.path, filters(request), str) or ""

    def read() -> Answer:
        names = practices_seen(desk.parts.store, seen(request, None))
        found = [name for name in names if name > after]
        following = found[limit - 1] if len(found) > limit else None
        return page(request, map(Practice, found[:limit]), following)

    return await desk.read(request, {}, read, private=False)


@needs(Right.READ)
async def panel(
    request: Request,
    practice: asking.Practice = None,
    month: asking.Month = None,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Patients by status, units by code and dollars of each practice and month.

    Role `projector` keeps these figures from the log; they follow the assessments within moments.
    """
    desk = desk_of(request)
    after = unsealed(cursor, request.url.path, filters(request), tuple[str, str]) or ("", "")

    def read() -> Answer:
        months = panel_months(desk.parts.store, seen(request, practice), month)
        found = [one for one in months if (one.practice_id, one.month) > after]
        last = found[limit - 1] if len(found) > limit else None
        return page(request, found[:limit], last and (last.practice_id, last.month))

    return await desk.read(request, filters(request), read, private=False)


ROUTES = (
    Resource("/practices", practices, pages_of("Practice"), tag="panel"),
    Resource("/panel", panel, pages_of("PanelMonth"), tag="panel"),
)
