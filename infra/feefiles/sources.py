"""Opening official files: plain, or the right members of a zip archive."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.feefiles.model import FeeFileError, ReadOptions

ENCODING = "cp1252"
MAX_BYTES = 1 << 30
"""No official file comes near a gibibyte unpacked; a larger one is refused."""

_WANTED = (
    # Of one content the comma-separated form is taken before the fixed-width one.
    (re.compile(r"^PPRRVU.*\.csv$", re.IGNORECASE), "rvu"),
    (re.compile(r"^PPRRVU.*\.txt$", re.IGNORECASE), "rvu"),
    (re.compile(r"^GPCI.*\.csv$", re.IGNORECASE), "gpci"),
    (re.compile(r"^PF(ALL|REV)?\d.*\.txt$", re.IGNORECASE), "pfall"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """One text to read: its name for people (`archive.zip:member`) and how to open it."""

    name: str
    open_bytes: Callable[[], IO[bytes]]

    def open_text(self) -> io.TextIOWrapper:
        """Decoded lines. Only figures and codes matter and those are ASCII."""
        return io.TextIOWrapper(self.open_bytes(), encoding=ENCODING, errors="replace", newline="")


def sources_of(path: Path, options: ReadOptions) -> list[Source]:
    """The texts to read in `path`, in a fixed order; refuses what is not there or not ours."""
    if not path.is_file():
        raise FeeFileError(path.name, "no such file")
    if not zipfile.is_zipfile(path):
        if _begins_as_archive(path):
            raise FeeFileError(path.name, "the archive is damaged or cut off")
        if path.stat().st_size > MAX_BYTES:
            raise FeeFileError(path.name, f"larger than {MAX_BYTES} bytes: not an official file")
        return [Source(path.name, lambda: path.open("rb"))]
    return _members(path, options)


def _begins_as_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _members(path: Path, options: ReadOptions) -> list[Source]:
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    names = [info.filename for info in infos]
    if any(name.startswith("xl/") for name in names):
        raise FeeFileError(path.name, "is a spreadsheet: give the .csv or .txt of the same release")
    chosen = _chosen(path, names, options)
    for info in infos:
        if info.filename in chosen and info.file_size > MAX_BYTES:
            raise FeeFileError(f"{path.name}:{info.filename}", f"larger than {MAX_BYTES} bytes")
    return [_member(path, name) for name in chosen]


def _chosen(path: Path, names: list[str], options: ReadOptions) -> list[str]:
    of_kind: dict[str, list[str]] = {}
    for pattern, kind in _WANTED:
        matching = sorted(name for name in names if pattern.match(name.rpartition("/")[2]))
        if matching and kind not in of_kind:
            of_kind[kind] = matching
    if not of_kind:
        raise FeeFileError(
            path.name,
            "holds no PPRRVU, GPCI (.csv) or PFALL/PFREV (.txt) file; it holds: "
            + (", ".join(sorted(names)[:10]) or "nothing"),
        )
    if "rvu" in of_kind:
        of_kind["rvu"] = _rvu_members(path, of_kind["rvu"], options)
    return [name for members in of_kind.values() for name in members]


def _rvu_members(path: Path, names: list[str], options: ReadOptions) -> list[str]:
    plain = [name for name in names if "QPP" not in name.upper()]
    if len(plain) > 1 or (plain and len(names) > 1):
        raise FeeFileError(
            path.name, f"holds several relative value files ({', '.join(names)}): unpack one"
        )
    if options.qp is None or plain:
        return names
    of_kind = [name for name in names if ("NONQPP" not in name.upper()) == options.qp]
    if not of_kind:
        raise FeeFileError(path.name, f"holds no file of the kind asked for, only {names}")
    return of_kind


def _member(path: Path, name: str) -> Source:
    def open_bytes() -> IO[bytes]:
        with zipfile.ZipFile(path) as archive:
            # The member keeps the archive's handle open until it is closed itself.
            return archive.open(name)

    return Source(f"{path.name}:{name.rpartition('/')[2]}", open_bytes)
