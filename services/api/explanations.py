"""Why a month stands as it does: as JSON, or as the page that the command line prints."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from services.access import Right, needs
from services.api import asking
from services.api.assessments import MONTH
from services.api.desk import JSON, Answer, desk_of, must_see
from services.api.faults import Absent
from services.api.negotiation import preferred
from services.api.paging import filters
from services.api.resource import Resource, ref
from services.explain import explain_json, explain_stored, explain_text
from services.histories import Unanswerable

TEXT: Final = "text/plain"
VARIES: Final = {"vary": "accept"}


@needs(Right.READ)
async def explanation(
    request: Request,
    practice: asking.InPath,
    patient: asking.InPath,
    month: asking.MonthInPath,
    as_of: asking.Instant = None,
) -> Response:
    """Each condition, met or not, with evidence and rule; what counts and what does not; every way
    to bill the month, with dollars; what would change the answer.

    `Accept: text/plain` gives the page that `caretally explain` prints.
    """
    must_see(request, practice, "patient")
    desk = desk_of(request)
    form = preferred(request, (JSON, TEXT))

    def read() -> Answer:
        parts = desk.parts
        policy_of = parts.settings.policy_of
        try:
            found = explain_stored(
                parts.store, parts.book, policy_of, practice, patient, month, as_of
            )
        except Unanswerable as error:
            raise Absent(error.field) from None
        if form == TEXT:
            return Answer(
                explain_text(found, color=False).encode(), f"{TEXT}; charset=utf-8", VARIES
            )
        return Answer(explain_json(found), headers=VARIES)

    wanted = {"practice": practice, "patient": patient, "month": month, **filters(request)}
    return await desk.read(request, wanted, read)


ROUTES = (
    Resource(
        f"{MONTH}/explanation",
        explanation,
        {JSON: ref("Explanation"), TEXT: {"type": "string"}},
    ),
)
