"""Assessments: all that fit a filter, the months of one patient, one month."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from projections.browsing import Place
from services.access import Right, needs
from services.api import asking
from services.api.cursors import unsealed
from services.api.desk import Answer, desk_of, must_see, seen
from services.api.faults import Absent
from services.api.paging import filters, page
from services.api.resource import Resource, json_of, pages_of
from services.views.assessments import Chosen, assessment_of, assessments_page
from services.views.people import is_known


@needs(Right.READ)
async def assessments(
    request: Request,
    practice: asking.Practice = None,
    patient: asking.Patient = None,
    month: asking.Month = None,
    status: asking.StatusWord = None,
    code: asking.Code = None,
    family: asking.FamilyWord = None,
    blocker: asking.Word = None,
    as_of: asking.Instant = None,
    all_months: asking.Mark = False,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Months of patients, by practice, patient and month.

    Each item has the bytes that `caretally assessments` prints. With `as_of` the answers of an
    earlier instant, from what was known then; with `all_months` also the months in the programme
    in which nothing happened. `code` and `family` are of the selected option. A page may be
    shorter than `limit` and still have a next one: the work for one page has a limit too.
    """
    desk = desk_of(request)
    chosen = Chosen(
        seen(request, practice), patient, month, status, code, family, blocker, as_of, all_months
    )
    after = unsealed(cursor, request.url.path, filters(request), Place)

    def read() -> Answer:
        found = assessments_page(desk.parts, chosen, after, limit)
        return page(request, found.items, found.next)

    return await desk.read(request, filters(request), read)


@needs(Right.READ)
async def months(
    request: Request,
    practice: asking.InPath,
    patient: asking.InPath,
    as_of: asking.Instant = None,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Every month of one patient: those with an assessment, and all others in the programme."""
    must_see(request, practice, "patient")
    desk = desk_of(request)
    chosen = Chosen(frozenset({practice}), patient, as_of_us=as_of, all_months=True)
    after = unsealed(cursor, request.url.path, filters(request), Place)

    def read() -> Answer:
        if not is_known(desk.parts.store, practice, patient):
            raise Absent("patient")
        found = assessments_page(desk.parts, chosen, after, limit)
        return page(request, found.items, found.next)

    wanted = {"practice": practice, "patient": patient, **filters(request)}
    return await desk.read(request, wanted, read)


@needs(Right.READ)
async def month(
    request: Request,
    practice: asking.InPath,
    patient: asking.InPath,
    month: asking.MonthInPath,
    as_of: asking.Instant = None,
) -> Response:
    """One month of one patient, now or as it was known at an instant."""
    must_see(request, practice, "month")
    desk = desk_of(request)

    def read() -> Answer:
        body = assessment_of(desk.parts, practice, patient, month, as_of)
        if body is None:
            raise Absent("month")
        return Answer(body)

    wanted = {"practice": practice, "patient": patient, "month": month, **filters(request)}
    return await desk.read(request, wanted, read)


PATIENT = "/practices/{practice}/patients/{patient}"
MONTH = f"{PATIENT}/months/{{month}}"

ROUTES = (
    Resource("/assessments", assessments, pages_of("Assessment")),
    Resource(f"{PATIENT}/months", months, pages_of("Assessment")),
    Resource(MONTH, month, json_of("Assessment")),
)
