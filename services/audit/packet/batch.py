"""Packets for a probe: one for each line of a list of claims, together in one archive."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile

from domain.policy import Policy
from services.audit.difference import worth
from services.audit.packet.evidence import Asked, Evidence, gather
from services.audit.packet.files import entry, packet
from services.audit.packet.itemised import cell
from services.audit.words import came_to
from services.bootstrap import Parts
from services.histories import Unanswerable

COLUMNS: Final = ("practice", "patient", "month")
INDEX: Final = "index.csv"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
NAME_MAX: Final = 60


class BadList(ValueError):
    """The list cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    number: int
    asked: Asked


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a line: a file in the archive, or why there is none. `came_to` is the
    month's status, codes and amount in words."""

    line: Line
    file: str
    came_to: str
    refused: str


def listed(path: Path, as_of_us: int | None) -> list[Line]:
    """The claims of a CSV file with a head line `practice,patient,month` in any order; further
    columns are ignored. An empty practice is any. Raises BadList, OSError."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise BadList(f"{path}: expected text in UTF-8") from None
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise BadList(f"{path}: expected columns {', '.join(COLUMNS)}; missing {missing[0]}")
    found = []
    for row in rows:
        practice, patient, month = ((row[name] or "").strip() for name in COLUMNS)
        asked = Asked(practice or None, patient, month, as_of_us)
        found.append(Line(rows.line_num, asked))
    return found


def write_packets(
    out: IO[bytes],
    lines: list[Line],
    parts: Parts,
    policy_of: Callable[[str], Policy],
    told: Callable[[Made], None],
) -> list[Made]:
    """Write an archive with a packet a line and an index of them; one packet in memory at once.

    `told` hears of each line as it is done.
    """
    made: list[Made] = []
    seen: dict[tuple[str, str, str], int] = {}
    with ZipFile(out, "w", ZIP_STORED) as packed:
        for line in lines:
            done, content = _made(line, parts, policy_of, seen)
            if content:
                packed.writestr(entry(done.file), content)
            made.append(done)
            told(done)
        packed.writestr(entry(INDEX), _index(made))
    return made


def _made(
    line: Line,
    parts: Parts,
    policy_of: Callable[[str], Policy],
    seen: dict[tuple[str, str, str], int],
) -> tuple[Made, bytes]:
    if not line.asked.patient:
        return Made(line, "", "", "patient: expected an id; found nothing"), b""
    try:
        evidence = gather(parts, policy_of, line.asked)
    except Unanswerable as error:
        return Made(line, "", "", str(error)), b""
    answer = evidence.answer
    first = seen.setdefault((answer.practice_id, answer.patient_id, answer.month), line.number)
    if first != line.number:
        return Made(line, "", "", f"the same patient and month as line {first}"), b""
    asked = replace(line.asked, practice=answer.practice_id)
    named = Line(line.number, asked)
    return Made(named, _file_name(named), came_to_text(evidence), ""), packet(evidence)


def _file_name(line: Line) -> str:
    """Safe on every system, and its own for each line."""
    asked = line.asked
    who = _UNSAFE.sub("_", f"{asked.practice}-{asked.patient}")[:NAME_MAX]
    return f"{line.number:05d}-{who}-{asked.month}.zip"


def came_to_text(evidence: Evidence) -> str:
    """The month in a few words; why there is no amount where codes have none."""
    said = came_to(worth(evidence.answer))
    chosen = [option for option in evidence.explained.options if option.selected]
    missing = [f"{x.code}: {x.missing}" for option in chosen for x in option.lines if x.missing]
    return f"{said} ({'; '.join(missing)})" if missing else said


def _index(made: list[Made]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["line", *COLUMNS, "file", "came_to", "refused"])
    for done in made:
        asked = done.line.asked
        row = (asked.practice or "", asked.patient, asked.month, done.file)
        writer.writerow(map(cell, (done.line.number, *row, done.came_to, done.refused)))
    return out.getvalue().encode()


def refusals(made: list[Made]) -> Iterator[tuple[int, str]]:
    """(line, sentence) of the lines without a packet."""
    return ((done.line.number, done.refused) for done in made if done.refused)
