"""The months of a practice as they stand in the read model, each with a mark of what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Final

import msgspec

from domain.facts import CodeUnits, Month
from domain.time.calendar import last_day, local_date
from projections.ports import Store

_VERSION: Final = b',"stream_version":'
_MARK_BYTES: Final = 8


class _Money(msgspec.Struct, gc=False):
    amount: Decimal
    basis: str


class _Option(msgspec.Struct, gc=False):
    family: str
    codes: list[CodeUnits]
    payment: _Money | None


class _Seconds(msgspec.Struct, gc=False):
    logged: int
    excluded: int


class _Answer(msgspec.Struct, gc=False):
    patient_id: str
    month: str
    timezone: str
    status: str
    codes: list[CodeUnits]
    family: str | None
    date_of_service: date | None
    payment: _Money | None
    earned: list[_Option]
    seconds: _Seconds
    blockers: list[str]
    warnings: list[str]
    stream_version: int


_ANSWER: Final = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Row:
    """One patient's month. `codes` and `dollars` are what may be billed; of a month that is blocked
    what could be if nothing blocked it. `mark` stands for everything that the assessment says:
    another one means that the month has changed since."""

    patient_id: str
    month: Month
    status: str
    codes: tuple[CodeUnits, ...]
    family: str | None
    date_of_service: date | None
    dollars: Decimal | None
    basis: str | None
    seconds: int
    """Counted ones."""
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    is_over: bool
    """Whether the month is over where the patient lives."""
    mark: str
    version: int


def rows(
    store: Store, now: int, practice: str, month: Month | None = None, status: str | None = None
) -> Iterator[Row]:
    """Of this practice, by patient and month; `now` in whole seconds since the epoch."""
    for body in store.assessments(practice, None, month, status):
        yield _row(body, now)


def dollars_of(found: Iterable[Row]) -> Decimal:
    """The sum of the amounts that are known."""
    return sum((row.dollars for row in found if row.dollars is not None), Decimal("0.00"))


def mark_of(body: bytes) -> str:
    """Stands for an assessment but for its stream version, which other months move too."""
    return blake2b(body[: body.rindex(_VERSION)], digest_size=_MARK_BYTES).hexdigest()


def _row(body: bytes, now: int) -> Row:
    answer = _ANSWER.decode(body)
    codes, family, paid = tuple(answer.codes), answer.family, answer.payment
    if answer.status == "blocked" and answer.earned:
        best = answer.earned[0]
        codes, family, paid = tuple(best.codes), best.family, best.payment
    return Row(
        patient_id=answer.patient_id,
        month=answer.month,
        status=answer.status,
        codes=codes,
        family=family,
        date_of_service=answer.date_of_service,
        dollars=paid.amount if paid else None,
        basis=paid.basis if paid else None,
        seconds=answer.seconds.logged - answer.seconds.excluded,
        blockers=tuple(answer.blockers),
        warnings=tuple(answer.warnings),
        is_over=last_day(answer.month) < local_date(now, answer.timezone),
        mark=mark_of(body),
        version=answer.stream_version,
    )
