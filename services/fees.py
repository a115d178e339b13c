"""Importing official fee files and keeping what was imported.

Each import is one JSON file in `<store_dir>/fees`, written whole or not at all. Of imports of one
kind and period the newest counts; different kinds and periods add up.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from domain.fees.figures import FigureSet
from domain.fees.schedule import BUILT_IN, FeeSchedule
from infra.feefiles import OFFICIAL, FeeFile, FeeFileError, Plausible, ReadOptions, read_fee_files
from infra.feefiles.stored import StoredFees, StoredFeesError, decode, encode

FOLDER = "fees"

__all__ = [
    "FeeFileError",
    "ImportReport",
    "ImportedFees",
    "StoredFeesError",
    "import_files",
    "list_imported",
    "load_imported",
]


@dataclass(frozen=True, slots=True)
class ImportedFees:
    """One import as kept. `superseded`: a newer one of the same kind and period counts instead."""

    path: Path
    kind: str
    year: int
    qp: bool | None
    first_day: date
    last_day: date
    digest: str
    source: str
    source_sha256: str
    codes: tuple[str, ...]
    missing_codes: tuple[str, ...]
    localities: int
    notes: tuple[str, ...]
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one run imported, in the order it was read, and where it lies."""

    store: Path
    imported: tuple[ImportedFees, ...]


def import_files(
    paths: Sequence[Path],
    *,
    year: int | None = None,
    qp: bool | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
    work_floor: bool = True,
    least: Plausible = OFFICIAL,
    store_dir: Path,
) -> ImportReport:
    """Read official files and keep their figures; with any bad file nothing at all is kept.

    `year` where a file does not say; `qp` whose figures they are (2026 on); `first_day` and
    `last_day` narrow the days they hold; see `ReadOptions`. Raises `FeeFileError` or, when what
    is already kept cannot be read, `StoredFeesError`.
    """
    options = ReadOptions(year, qp, first_day, last_day, work_floor, least)
    folder = store_dir / FOLDER
    sequence = max((stored.sequence for _, stored in _kept(folder)), default=0)
    read = [(path, fees) for path in paths for fees in read_fee_files(path, options)]
    stored = [
        _to_store(path, fees, sequence + place) for place, (path, fees) in enumerate(read, start=1)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    written = _write_all(folder, stored)
    return ImportReport(folder, tuple(map(_imported, written, stored)))


def load_imported(store_dir: Path) -> FeeSchedule:
    """The built-in schedule with every import that counts laid over it, oldest first.

    Raises `StoredFeesError`, naming the file, when one was changed or damaged.
    """
    schedule = BUILT_IN
    for _, stored in _counting(_kept(store_dir / FOLDER)):
        schedule = schedule.with_figures(stored.fees.figures)
    return schedule


def list_imported(store_dir: Path) -> tuple[ImportedFees, ...]:
    """Every import that is kept, oldest first, superseded ones marked."""
    kept = _kept(store_dir / FOLDER)
    counting = {path for path, _ in _counting(kept)}
    return tuple(
        replace(_imported(path, stored), superseded=path not in counting) for path, stored in kept
    )


def _kept(folder: Path) -> list[tuple[Path, StoredFees]]:
    """What the folder holds, oldest first. No folder: nothing was imported yet."""
    found = [(path, decode(path.name, path.read_bytes())) for path in folder.glob("*.json")]
    return sorted(found, key=lambda kept: (kept[1].sequence, kept[0].name))


def _counting(kept: Iterable[tuple[Path, StoredFees]]) -> list[tuple[Path, StoredFees]]:
    newest: dict[tuple[object, ...], tuple[Path, StoredFees]] = {}
    for path, stored in kept:
        fees = stored.fees
        key = (fees.kind, fees.year, fees.qp, fees.first_day, fees.last_day, _span(fees.figures))
        newest.pop(key, None)  # keeps the order of the newest
        newest[key] = (path, stored)
    return list(newest.values())


def _span(figures: FigureSet) -> tuple[tuple[date, date], ...]:
    # Two releases of one year may differ in the days of their conversion factor alone.
    return tuple((factor.first_day, factor.last_day) for factor in figures.factors)


def _to_store(path: Path, fees: FeeFile, sequence: int) -> StoredFees:
    with path.open("rb") as source:
        return StoredFees(fees, sequence, hashlib.file_digest(source, "sha256").hexdigest())


def _write_all(folder: Path, stored: Sequence[StoredFees]) -> list[Path]:
    """All files under temporary names first, then renamed: a failure leaves none half written."""
    staged: list[tuple[Path, Path]] = []
    try:
        for one in stored:
            digest = one.fees.figures.digest[:8]
            final = folder / f"{one.fees.year}-{one.fees.kind}-{digest}.json"
            staged.append((_staged(folder, encode(one)), final))
        for temporary, final in staged:
            os.replace(temporary, final)
    except BaseException:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(folder)
    return [final for _, final in staged]


def _staged(folder: Path, content: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".import-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _imported(path: Path, stored: StoredFees) -> ImportedFees:
    fees = stored.fees
    figures = fees.figures
    codes = {rvu.code for rvu in figures.rvus} | {amount.code for amount in figures.amounts}
    places = {gpci.locality for gpci in figures.gpcis}
    places |= {amount.locality for amount in figures.amounts}
    return ImportedFees(
        path=path,
        kind=fees.kind,
        year=fees.year,
        qp=fees.qp,
        first_day=fees.first_day,
        last_day=fees.last_day,
        digest=figures.digest,
        source=fees.name,
        source_sha256=stored.source_sha256,
        codes=tuple(sorted(codes)),
        missing_codes=fees.missing_codes,
        localities=len(places),
        notes=fees.notes,
    )
