"""Claim lines as CSV: one line a code, for whoever keys or imports claims."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

from domain.assess.context import MonthContext, month_context
from domain.facts import CodeUnits, Month
from domain.time.calendar import first_day, last_day
from services.audit.amounts import amount_of
from services.audit.packet.itemised import cell
from services.bootstrap import Parts
from services.histories import histories_of
from services.pages.close.selecting import Selected, Stale, changed, current_rows
from services.views.months import Row

DIAGNOSES_MAX: Final = 4
"""As many as a claim line points to."""


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One code of one patient's month.

    `amount` is of all its units, empty where a figure is not known; the amounts of a month add up
    to what the page shows. `diagnoses` are the chronic conditions active in the month, by code,
    those beyond the fourth left out. `counted_seconds`, `warnings` and what follows are of the
    month, the same on each of its lines.
    """

    practice_id: str
    practitioner_npi: str
    practitioner_credential: str
    patient_id: str
    month: str
    date_of_service: str
    code: str
    units: int
    amount: str
    currency: str
    basis: str
    family: str
    provider_kind: str
    setting: str
    locality: str
    diagnosis_1: str
    diagnosis_2: str
    diagnosis_3: str
    diagnosis_4: str
    counted_seconds: int
    warnings: str
    rules_version: str
    stream_version: int


def claim_lines(
    parts: Parts, practice: str, month: Month, selected: Sequence[Selected]
) -> list[ClaimLine]:
    """The lines of the selected months, in the order they were selected. Raises Stale for months
    that are not as they were shown."""
    found = current_rows(parts.store, parts.clock() // 1_000_000, practice, month, selected)
    refused = changed(selected, found)
    if refused:
        raise Stale(refused)
    return list(_lines(parts, practice, month, [one.patient_id for one in selected], found))


def lines_csv(lines: Iterable[ClaimLine]) -> bytes:
    """With a head line (RFC 4180, UTF-8). A text that a spreadsheet would take for a formula has
    an apostrophe put before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.name for field in fields(ClaimLine)])
    writer.writerows([cell(value) for value in astuple(line)] for line in lines)
    return out.getvalue().encode("utf-8", "surrogatepass")


def _lines(
    parts: Parts, practice: str, month: Month, patients: Sequence[str], rows: Mapping[str, Row]
) -> Iterator[ClaimLine]:
    policy = parts.settings.policy_of(practice)
    for history in histories_of(parts.store, [(practice, patient) for patient in patients]):
        context = month_context(history.patient(), month, parts.book, policy)
        row = rows[history.patient_id]
        for line in row.codes:
            yield _line(parts, practice, context, row, line)


def _line(
    parts: Parts, practice: str, context: MonthContext, row: Row, line: CodeUnits
) -> ClaimLine:
    span = context.span
    on = row.date_of_service or last_day(row.month)
    dollars = amount_of(context, parts.book.fees, [line], on).dollars
    dx = [*_diagnoses(context), *[""] * DIAGNOSES_MAX][:DIAGNOSES_MAX]
    return ClaimLine(
        practice_id=practice,
        practitioner_npi=span.enrolment.billing_practitioner.npi if span else "",
        practitioner_credential=span.enrolment.billing_practitioner.credential if span else "",
        patient_id=row.patient_id,
        month=row.month,
        date_of_service=on.isoformat(),
        code=line.code,
        units=line.units,
        amount="" if dollars is None else str(dollars),
        currency="" if dollars is None else "USD",
        basis=row.basis or "",
        family=row.family or "",
        provider_kind=span.enrolment.provider_kind if span else "",
        setting=span.enrolment.setting if span else "",
        locality=(span.enrolment.locality or "") if span else "",
        diagnosis_1=dx[0],
        diagnosis_2=dx[1],
        diagnosis_3=dx[2],
        diagnosis_4=dx[3],
        counted_seconds=row.seconds,
        warnings="; ".join(row.warnings),
        rules_version=context.rules.used.version,
        stream_version=row.version,
    )


def _diagnoses(context: MonthContext) -> list[str]:
    first, last = first_day(context.month), last_day(context.month)
    return [c.code for c in context.chart.conditions if c.chronic and c.active_between(first, last)]
