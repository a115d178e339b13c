"""For auditors: what changed a month, its evidence, the claims to look at, and who looked."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from infra.codec import instant_text
from services.access import Right, needs
from services.api import asking
from services.api.assessments import MONTH
from services.api.cursors import unsealed
from services.api.desk import JSON, Answer, Desk, desk_of, must_see, seen
from services.api.faults import Absent, Fault
from services.api.negotiation import preferred
from services.api.paging import filters, page
from services.api.resource import Resource, json_of, pages_of
from services.audit.access import Looked
from services.audit.auditevents import audit_event
from services.audit.claims import Urgency, urgency, worklist
from services.audit.difference import difference
from services.audit.forms import difference_json, encode
from services.audit.packet.evidence import Asked, gather
from services.audit.packet.files import packet as packet_of
from services.histories import History, Unanswerable, history_of
from services.views.accesses import accesses_page, concern_of

ZIP: Final = "application/zip"
FHIR_LINES: Final = "application/fhir+ndjson"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@needs(Right.AUDIT)
async def month_difference(
    request: Request,
    practice: asking.InPath,
    patient: asking.InPath,
    month: asking.MonthInPath,
    from_: asking.From,
    to: asking.InstantNeeded,
) -> Response:
    """One month at two instants: both answers, and what each event between them did to it.

    The earlier instant is `from` in the answer, whichever way round they are given.
    """
    must_see(request, practice, "patient")
    first, last = sorted((from_, to))
    desk = desk_of(request)

    def read() -> Answer:
        parts = desk.parts
        history = _known(desk, practice, patient, last)
        policy = parts.settings.policy_of(practice)
        found = difference(history, month, first, last, parts.book, policy)
        return Answer(difference_json(found, instant_text(first), instant_text(last)))

    wanted = {"practice": practice, "patient": patient, "month": month, **filters(request)}
    return await desk.read(request, wanted, read)


@needs(Right.AUDIT)
async def evidence_packet(
    request: Request,
    practice: asking.InPath,
    patient: asking.InPath,
    month: asking.MonthInPath,
    as_of: asking.Instant = None,
) -> Response:
    """The evidence of a month as one zip: a page to print, CSV, JSON, raw events, hashes.

    The same events under the same checkpoint give the same bytes; `caretally audit verify` checks
    a packet without the store.
    """
    must_see(request, practice, "patient")
    desk = desk_of(request)

    def read() -> Answer:
        asked = Asked(practice, patient, month, as_of)
        try:
            evidence = gather(desk.parts, desk.parts.settings.policy_of, asked)
        except Unanswerable as error:
            raise Absent(error.field) from None
        name = "-".join(_UNSAFE.sub("_", part) for part in (practice, patient, month))
        headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
        return Answer(packet_of(evidence), ZIP, headers)

    wanted = {"practice": practice, "patient": patient, "month": month, **filters(request)}
    return await desk.read(request, wanted, read)


@needs(Right.AUDIT)
async def claims(
    request: Request,
    practice: asking.Practice = None,
    month: asking.Month = None,
    kind: asking.ClaimKind = None,
    as_of: asking.Instant = None,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Months to look at, the most urgent first: claims no longer supported, late corrections,
    claims taken back, months earned and never claimed; with dollars at stake and days to return.
    """
    desk = desk_of(request)
    after = unsealed(cursor, request.url.path, filters(request), Urgency)

    def read() -> Answer:
        found = worklist(desk.parts, seen(request, practice), month, as_of)
        items = [
            item
            for item in found
            if kind in (None, item.kind) and (after is None or urgency(item) > after)
        ]
        following = urgency(items[limit - 1]) if len(items) > limit else None
        return page(request, items[:limit], following)

    return await desk.read(request, filters(request), read)


@needs(Right.AUDIT)
async def access_log(
    request: Request,
    practice: asking.Practice = None,
    patient: asking.Patient = None,
    by: asking.By = None,
    from_: asking.MaybeFrom = None,
    to: asking.Instant = None,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Who read what of whom, when and why, oldest first; this read is one of them.

    `Accept: application/fhir+ndjson` gives FHIR R4 AuditEvents, one a line. Reads of a panel
    count for each of its patients.
    """
    desk = desk_of(request)
    after = unsealed(cursor, request.url.path, filters(request), int) or 0
    form = preferred(request, (JSON, FHIR_LINES))
    looked = Looked(practice, patient, by, from_, to)

    def read() -> Answer:
        store = desk.parts.store
        try:
            concerns = concern_of(store, seen(request, None))
            found = accesses_page(store, looked, concerns, after, limit)
        except msgspec.DecodeError:
            sentence = (
                "the access log holds what was not written by us; see caretally audit verify."
            )
            raise Fault(503, sentence) from None
        whole = page(request, found.items, found.next, {"vary": "accept"})
        if form == JSON:
            return whole
        lines = b"".join(encode(audit_event(one)) + b"\n" for one in found.items)
        return Answer(lines, FHIR_LINES, whole.headers)

    return await desk.read(request, filters(request), read)


def _known(desk: Desk, practice: str, patient: str, at_us: int) -> History:
    try:
        return history_of(desk.parts.store, practice, patient, at_us)
    except Unanswerable as error:
        raise Absent(error.field) from None


ROUTES = (
    Resource(
        f"{MONTH}/difference", month_difference, json_of("DifferenceForm"), "audit", faults=(404,)
    ),
    Resource(
        f"{MONTH}/packet",
        evidence_packet,
        {ZIP: {"type": "string", "format": "binary"}},
        "audit",
    ),
    Resource("/claims", claims, pages_of("Item"), "audit"),
    Resource(
        "/accesses",
        access_log,
        {**pages_of("Access"), FHIR_LINES: {"type": "string"}},
        "audit",
    ),
)
