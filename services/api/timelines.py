"""A patient's history in recorded order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from infra.codec import instant_text
from services.access import Right, needs
from services.api import asking
from services.api.assessments import PATIENT
from services.api.cursors import unsealed
from services.api.desk import Answer, desk_of, must_see
from services.api.faults import Absent
from services.api.paging import filters, page
from services.api.resource import Resource, pages_of
from services.audit.telling import Told
from services.histories import Unanswerable
from services.views.timeline import Mark, Moment, MomentKind, timeline


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One moment; `event` or `alert`, as its kind says. `suppressed`: why no sink heard of it."""

    kind: MomentKind
    recorded_at: str | None
    stream_version: int
    event: Told | None
    alert: msgspec.Raw | None
    suppressed: str | None


@needs(Right.READ)
async def patient_timeline(
    request: Request,
    practice: asking.InPath,
    patient: asking.InPath,
    as_of: asking.Instant = None,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Facts, corrections and alerts of one patient, in the order in which they were recorded.

    With `as_of` what was recorded by an instant. Events are told in one line each, without the
    sender's free text but for the reasons that corrections give.
    """
    must_see(request, practice, "patient")
    desk = desk_of(request)
    after = unsealed(cursor, request.url.path, filters(request), Mark) or Mark()

    def read() -> Answer:
        try:
            moments = timeline(desk.parts, practice, patient, as_of, after)
        except Unanswerable:
            raise Absent("patient") from None
        found = list(islice(moments, limit + 1))
        following = found[limit - 1].mark if len(found) > limit else None
        return page(request, map(_item, found[:limit]), following)

    wanted = {"practice": practice, "patient": patient, **filters(request)}
    return await desk.read(request, wanted, read)


def _item(moment: Moment) -> TimelineItem:
    at, alert = moment.recorded_at_us, moment.alert
    return TimelineItem(
        moment.kind,
        None if at is None else instant_text(at),
        moment.version,
        moment.told,
        None if alert is None else msgspec.Raw(alert.body),
        None if alert is None else alert.suppressed,
    )


ROUTES = (Resource(f"{PATIENT}/timeline", patient_timeline, pages_of("TimelineItem")),)
