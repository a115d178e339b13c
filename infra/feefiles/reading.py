"""Recognising an official file by its content, and reading it with the right reader."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from itertools import islice
from pathlib import Path

from infra.feefiles.gpci import gpci_file
from infra.feefiles.model import FeeFile, FeeFileError, ReadOptions
from infra.feefiles.pfall import pfall_file
from infra.feefiles.pprrvu import read_csv, read_fixed
from infra.feefiles.rvu_figures import rvu_file
from infra.feefiles.sources import Source, sources_of

_HEAD_LINES = 40
_PRICED = re.compile(r'^"\d{4}","\w{5}","\w\w","')
_FIXED = re.compile(r"^[0-9A-Z]{5}.{52}[A-Z] [ \d]{3}\.\d\d")
_HCPCS = re.compile(r'^(ï»¿)?"?HCPCS"?,', re.IGNORECASE)
_LOCALITY_HEADER = re.compile(r"LOCALITY (NUMBER|CODE).*GPCI", re.IGNORECASE)


def read_fee_files(path: Path, options: ReadOptions | None = None) -> list[FeeFile]:
    """Every official file in `path` (itself, or the members of a zip), read and checked whole.

    Raises `FeeFileError` when any of them is damaged, cut off or not recognised.
    """
    chosen = options or ReadOptions()
    try:
        return [_read(source, chosen) for source in sources_of(path, chosen)]
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FeeFileError(path.name, f"the archive is damaged ({error})") from error
    except (RuntimeError, NotImplementedError) as error:
        # How zipfile says: encrypted, or a compression it does not know.
        raise FeeFileError(path.name, f"the archive cannot be unpacked ({error})") from error
    except OSError as error:
        # Also how zipfile answers some damaged directories.
        raise FeeFileError(path.name, f"cannot be read ({error})") from error


def _read(source: Source, options: ReadOptions) -> FeeFile:
    with source.open_text() as text:
        head = [line[:2000] for line in islice(text, _HEAD_LINES)]
    if any(_PRICED.match(line) for line in head):
        return pfall_file(source, options)
    if any(_HCPCS.match(line) for line in head):
        return rvu_file(source.name, read_csv(source), options)
    if any(line.startswith("HDR") or _FIXED.match(line) for line in head):
        return rvu_file(source.name, read_fixed(source), options)
    if any(_LOCALITY_HEADER.search(" ".join(_cells(line))) for line in head):
        return gpci_file(source, options)
    raise FeeFileError(
        source.name,
        "not recognised: expected a PPRRVU file (a header row that starts with HCPCS, or "
        "fixed-width records), a GPCI file (a header row with 'Locality Number' and GPCIs) or a "
        "PFALL/PFREV file (quoted records)",
    )


def _cells(line: str) -> list[str]:
    return next(csv.reader([line]), [])
