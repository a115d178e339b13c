"""What reading an official file takes, gives and refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.fees.figures import FigureSet

Kind = Literal["rvu", "gpci", "pfall"]

_PLAIN_NUMBER = re.compile(r"^(\d{1,9}(\.\d{0,9})?|\.\d{1,9})$", re.ASCII)


class FeeFileError(Exception):
    """An official file cannot be taken; nothing of it was. Says where and what was expected."""

    def __init__(
        self, file: str, problem: str, *, line: int | None = None, column: str | None = None
    ) -> None:
        where = [file]
        if line is not None:
            where.append(f"line {line}")
        if column is not None:
            where.append(f"column {column}")
        super().__init__(f"{', '.join(where)}: {problem}")
        self.file = file
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Plausible:
    """The least a whole official file holds; fewer means that it was cut off."""

    rvu_rows: int = 10_000
    localities: int = 80


OFFICIAL = Plausible()


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the file itself may not say.

    `qp`: True for qualifying APM participants' figures, False for everybody else's (2026 on).
    `first_day` and `last_day` (both or neither) set the period the figures hold, inclusive.
    `work_floor`: take the work index with the statutory floor of 1.0 where the file has both.
    """

    year: int | None = None
    qp: bool | None = None
    first_day: date | None = None
    last_day: date | None = None
    work_floor: bool = True
    least: Plausible = field(default=OFFICIAL)


@dataclass(frozen=True, slots=True)
class FeeFile:
    """One official file, read and checked. `rows` counts its data rows, `notes` are for people."""

    name: str
    kind: Kind
    year: int
    qp: bool | None
    first_day: date
    last_day: date
    figures: FigureSet
    rows: int
    missing_codes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def number(text: str, file: str, line: int, column: str) -> Decimal | None:
    """The number in a cell, None when it is blank or says NA; refuses anything else."""
    stripped = text.strip()
    if not stripped or stripped.upper() == "NA":
        return None
    if not _PLAIN_NUMBER.match(stripped):
        raise FeeFileError(file, f"expected a number, found {stripped!r}", line=line, column=column)
    return Decimal(stripped)
