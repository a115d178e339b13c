"""A mapping file: which columns of a table are which members of the contract's events.

Written in TOML and checked whole before a row is read: an unknown member, a form that cannot be
read, or an event that lacks something is told at once. Columns that it does not name are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.rows import formats
from services.rows.targets import MAPPABLE, Target, faults_of, targets_of
from services.wire.scalars import Identifier, Source, Zone

Column = Annotated[str, Field(min_length=1, max_length=256)]
Forms = str | list[str]
Constant = str | bool
Duration = Literal["seconds", "minutes", "hours", "h:mm", "h:mm:ss", "m:ss", "1h 20m"]
Cells = dict[Column, list[str]]
"""What stands in a column, as texts; an empty text is an empty cell."""


class Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def listed(forms: Forms | None) -> list[str]:
    """Forms in the order in which they are tried."""
    return [forms] if isinstance(forms, str) else list(forms or ())


class Member(Part):
    """Where a member of an event comes from: one column, several joined by a blank, or a constant;
    and how its text is read."""

    column: Column | None = None
    columns: list[Column] = []
    value: Constant | None = None
    values: dict[str, Constant] = {}
    date: Forms | None = None
    instant: Forms | None = None
    duration: Duration | None = None
    optional: bool = False
    """An empty cell leaves the member out."""

    @model_validator(mode="after")
    def _one(self) -> Member:
        if [self.column is not None, bool(self.columns), self.value is not None].count(True) != 1:
            raise ValueError("expected one of column, columns and value")
        read = [bool(self.values), self.date is not None, self.instant is not None]
        if [*read, self.duration is not None].count(True) > (0 if self.value is not None else 1):
            raise ValueError("expected one of values, date, instant and duration, with a column")
        for form in listed(self.instant):
            if not formats.is_instant_form(form):
                raise ValueError(f"instant: {form!r} does not say year, month, day, hour, minute")
        for form in listed(self.date):
            if not formats.is_month_form(form):
                raise ValueError(f"date: {form!r} does not say year, month and day")
        return self

    @property
    def sources(self) -> list[str]:
        """The columns that the member comes from."""
        return self.columns or ([self.column] if self.column is not None else [])


class EventRow(Part):
    """One event of a row. It is made only where the columns of `when_filled` are not empty."""

    type: str
    when_filled: list[Column] = []
    members: dict[str, Member]

    @field_validator("type")
    @classmethod
    def _known(cls, type: str) -> str:
        if type not in MAPPABLE:
            raise ValueError(f"expected one of {', '.join(MAPPABLE)}")
        return type

    @model_validator(mode="after")
    def _whole(self) -> EventRow:
        if faults := faults_of(self.type, self.members):
            raise ValueError("; ".join(faults))
        return self

    @property
    def targets(self) -> dict[str, Target]:
        return targets_of(self.type)


class PatientColumn(Part):
    """Whose row it is. `id`: the column has our patient id. `linked`: it has an identifier of
    `system`, and `identity.linked.v1` says whom that means."""

    column: Column
    subject: Literal["id", "linked"] = "id"
    system: Source | None = None

    @model_validator(mode="after")
    def _named(self) -> PatientColumn:
        if (self.subject == "linked") != (self.system is not None):
            raise ValueError("system: expected with subject 'linked', and only there")
        return self


class Recorded(Part):
    """When the source wrote a row down last: orders what was corrected."""

    column: Column
    instant: Forms

    @field_validator("instant")
    @classmethod
    def _form(cls, forms: Forms) -> Forms:
        for form in listed(forms):
            if not formats.is_instant_form(form):
                raise ValueError(f"{form!r} does not say year, month, day, hour and minute")
        return forms


class Rows(Part):
    """A table's rows: what names a row, whose it is, which are left out, what they become."""

    key: list[Column] = []
    """Columns that name a row for ever. Without any the whole row is its own name."""
    without_key: Literal["review", "each"] = "review"
    """What becomes of rows without a key that may be the same work as another: a person looks at
    them, or each is work of its own."""
    patient: PatientColumn
    recorded: Recorded | None = None
    only: Cells = {}
    skip: Cells = {}
    events: list[EventRow] = Field(min_length=1)

    def columns(self) -> set[str]:
        """Every column that is used."""
        return set(self._columns())

    def _columns(self) -> Iterator[str]:
        yield from (*self.key, self.patient.column, *self.only, *self.skip)
        if self.recorded is not None:
            yield self.recorded.column
        for event in self.events:
            yield from event.when_filled
            for member in event.members.values():
                yield from member.sources

    def parts(self) -> Iterator[tuple[str, EventRow]]:
        """Events with the names of their parts in event ids."""
        seen: dict[str, int] = {}
        for event in self.events:
            name = event.type.removesuffix(".v1")
            number = seen[name] = seen.get(name, 0) + 1
            yield (name if number == 1 else f"{name}.{number}"), event


class Sheet(Part):
    """How a spreadsheet was saved."""

    encoding: Literal["utf-8", "cp1252", "utf-16"] = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    header_line: int = Field(default=1, ge=1, le=1_000)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""

    @model_validator(mode="after")
    def _apart(self) -> Sheet:
        if self.decimal == self.thousands:
            raise ValueError("thousands: expected another sign than decimal")
        return self


class TableMapping(Part):
    """One source: a spreadsheet's rows, or tables of a database by `schema.table`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    source: Source
    practice: Identifier
    timezone: Zone
    """Of times that are written without an offset."""
    generation: int = Field(default=0, ge=0, le=999)
    """Raised when a database moves to where its log counts anew: what comes then is later."""
    sheet: Sheet = Sheet()
    rows: Rows | None = None
    tables: dict[str, Rows] = {}

    @model_validator(mode="after")
    def _either(self) -> TableMapping:
        if (self.rows is None) == (not self.tables):
            raise ValueError("expected either rows, for a spreadsheet, or tables")
        if any(not rows.key for rows in self.tables.values()):
            raise ValueError("tables: expected a key in each, the primary key")
        return self

    def profile(self) -> dict[str, Any]:
        """What the meaning of a row hangs on."""
        return self.model_dump(
            exclude={"sheet": {"encoding", "delimiter", "header_line"}, "generation": True}
        )
