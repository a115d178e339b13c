"""Small files in the layouts of the official ones, whole or damaged. No descriptors: `X`."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.feefiles import Plausible

SMALL = Plausible(rvu_rows=3, localities=3)

# The split header of the official file, as it stands there: up to 2025, and from 2026 on.
_HEADER = (
    ",,,,NOT USED,,,,,,,,,,,,,,,,,,,,,PHYSICIAN,,DIAGNOSTIC,PE USED,PE USED,MP USED",
    ",,,,FOR,,,NON-FAC,,FACILITY ,,,,,,,,,,,,,,,,SUPERVISION OF,,IMAGING,"
    "FOR OPPS,FOR OPPS,FOR OPPS",
    ",,,STATUS,MEDICARE ,WORK,NON-FAC,NA,FACILITY,NA,MP,NON-FACILITY,FACILITY,PCTC,GLOB,PRE,INTRA,"
    "POST,MULT,BILAT,ASST,CO-,TEAM,ENDO,CONV,DIAGNOSTIC,CALCULATION,FAMILY,"
    "PAYMENT,PAYMENT,PAYMENT",
    "HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,PE RVU,INDICATOR,PE RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,"
    "DAYS,OP,OP,OP,PROC,SURG,SURG,SURG,SURG,BASE,FACTOR,PROCEDURES,FLAG,INDICATOR,"
    "AMOUNT,AMOUNT,AMOUNT",
)
_PRICING_COLUMN = 23
_PRICING_HEADINGS = ("", "", "PRIC", "IND")


@dataclass(frozen=True)
class Units:
    """One row: relative values as written; the totals are their sums unless given."""

    code: str
    work: str
    nonfacility: str
    facility: str
    mp: str
    total_nonfacility: str
    total_facility: str
    status: str = "A"
    modifier: str = ""


STAFF_2025 = Units("99490", "1.00", "0.81", "0.42", "0.06", "1.87", "1.48")
ADD_ON_2025 = Units("99439", "0.70", "0.68", "0.28", "0.04", "1.42", "1.02")
COMPLEX_2025 = Units("99487", "1.81", "2.13", "0.75", "0.13", "4.07", "2.69")
VISIT = Units("99213", "1.30", "1.46", "0.33", "0.09", "2.85", "1.72")
VISIT_PART = Units("71046", "0.21", "0.08", "0.08", "0.01", "0.30", "0.30", modifier="26")
ROWS_2025 = (STAFF_2025, ADD_ON_2025, COMPLEX_2025, VISIT, VISIT_PART)
STAFF_2026 = Units("99490", "1.00", "0.91", "0.24", "0.07", "1.98", "1.31")
ADD_ON_2026 = Units("99439", "0.70", "0.76", "0.17", "0.05", "1.51", "0.92")
ROWS_2026 = (STAFF_2026, ADD_ON_2026, VISIT)


def pprrvu_csv(
    rows: Sequence[Units] = ROWS_2025,
    factor: str = "32.3465",
    year: int = 2025,
    pricing: str | None = None,
) -> str:
    """The comma-separated relative value file; `pricing` adds the indicator of 2026 on."""
    header = [line.split(",") for line in _HEADER]
    if pricing is not None:
        for cells, heading in zip(header, _PRICING_HEADINGS, strict=True):
            cells.insert(_PRICING_COLUMN, heading)
    width = len(header[0])
    title = f"{year} National Physician Fee Schedule Relative Value File October Release"
    lines = [
        _row(width, {2: title}),
        _row(width, {2: " "}),
        _row(width, {2: "RELEASED 09/15/2025"}),
    ]
    lines += [_row(width, {width - 3: "NON-FACILITY", width - 2: "FACILITY"})]
    lines += [",".join(cells) for cells in header]
    lines += [",".join(_cells(row, factor, pricing)) for row in rows]
    return "\r\n".join([*lines, _row(width, {}), ""])


def _cells(row: Units, factor: str, pricing: str | None) -> list[str]:
    front = [row.code, row.modifier, "X", row.status, ""]
    values = [row.work, row.nonfacility, "", row.facility, "", row.mp]
    totals = [row.total_nonfacility, row.total_facility]
    middle = ["0", "XXX", "0.00", "0.00", "0.00", "0", "0", "0", "0", "0"]
    mark = [] if pricing is None else [pricing]
    return [*front, *values, *totals, *middle, *mark, "", factor, "09", "0", "99", *["0.00"] * 3]


def _row(width: int, cells: Mapping[int, str]) -> str:
    return ",".join(cells.get(at, "") for at in range(width))


def pprrvu_txt(rows: Sequence[Units] = ROWS_2025, factor: str = "32.3465") -> str:
    """The fixed-width relative value file: records of 200 characters."""
    return "\r\n".join(
        ["HDR X".ljust(200), *(_fixed(row, factor) for row in rows), ""],
    )


def _fixed(row: Units, factor: str) -> str:
    record = [" "] * 200
    for first, text in (
        (1, row.code),
        (6, row.modifier.ljust(2)),
        (8, "X"),
        (58, row.status),
        (60, row.work.rjust(6)),
        (67, row.nonfacility.rjust(6)),
        (76, row.facility.rjust(6)),
        (85, row.mp.rjust(5)),
        (91, row.total_nonfacility.rjust(6)),
        (97, row.total_facility.rjust(6)),
        (103, "0XXX"),
        (121, "9"),
        (133, factor.rjust(8, "0")),
    ):
        record[first - 1 : first - 1 + len(text)] = text
    return "".join(record)


LOCALITIES = (
    ("10112", "AL", "00", "X", "1", "0.869", "0.575"),
    ("2102", "AK", "1", "X*", "1.5", "1.081", "0.592"),
    ("13202", "NY", "01", "X", "1.065", "1.166", "1.656"),
)


def gpci_csv(
    rows: Sequence[Sequence[str]] = LOCALITIES,
    year: int = 2026,
    header: str = "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,"
    "{year} PW GPCI (with 1.0 Floor)***,{year} PE GPCI,{year} MP GPCI",
) -> str:
    """The locality index file: title, blank row, header, localities, footnotes."""
    commas = "," * header.count(",")
    return "\r\n".join(
        [
            f"ADDENDUM E. FINAL CY {year} GEOGRAPHIC PRACTICE COST INDICES{commas}",
            commas,
            header.format(year=year),
            *(",".join(row) for row in rows),
            f'"MAC Assignments as of October 27, {year - 1}"{commas}',
            f"*Work GPCI reflects a 1.5 floor.{commas}",
            "",
        ]
    )


def pfall_txt(
    amounts: Mapping[str, tuple[str, str]],
    localities: Sequence[str] = ("1011200", "0210201", "1320201"),
    year: int = 2025,
    trailer: bool = True,
) -> str:
    """The priced file: each code (`code` or `code/modifier`) in each carrier and locality."""
    lines = [
        _priced(year, place, code, *pair) for place in localities for code, pair in amounts.items()
    ]
    return "\r\n".join([*lines, *(['"TRL X'] if trailer else []), ""])


def _priced(year: int, place: str, code: str, nonfacility: str, facility: str) -> str:
    hcpcs, _, modifier = code.partition("/")
    fields = (
        str(year),
        place[:5],
        place[5:],
        hcpcs,
        modifier.ljust(2),
        nonfacility.zfill(10),
        facility.zfill(10),
        " ",
        "0",
        "A",
        "0",
        "0000000.00",
        "0000000.00",
        "9",
        "0000000.00",
        "0000000.00",
    )
    return ",".join(f'"{text}"' for text in fields)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode("cp1252"))
    return path


def write_zip(folder: Path, name: str, members: Mapping[str, str]) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text.encode("cp1252"))
    return path
