"""Mapping files read: every fault told with the file and the member."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.rows.mapping import TableMapping


class MappingError(ValueError):
    """A mapping that cannot be used: one line a fault, each naming file and member."""


def read_mappings(paths: str) -> Mapping[str, TableMapping]:
    """Mappings by name, of files and of folders with `*.toml`, parted by commas. A file that is
    named twice counts once. Raises MappingError."""
    found: dict[str, TableMapping] = {}
    for file in dict.fromkeys(_files(paths)):
        mapping = read_mapping(file)
        if mapping.name in found:
            sentence = f"name: expected another in each mapping; found {mapping.name!r} again"
            raise MappingError(f"{file}: {sentence}")
        found[mapping.name] = mapping
    return found


def _files(paths: str) -> list[Path]:
    found: list[Path] = []
    for text in filter(None, map(str.strip, paths.split(","))):
        path = Path(text)
        found += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return [path.resolve() for path in found]


def read_mapping(path: Path) -> TableMapping:
    """One mapping. Raises MappingError with one line a fault."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise MappingError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: expected TOML: {error}") from None
    try:
        return TableMapping(**document)
    except ValidationError as error:
        faults = [_sentence(path, fault) for fault in error.errors()]
        raise MappingError("\n".join(dict.fromkeys(faults))) from None


def _sentence(path: Path, fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "mapping"
    kind, message = fault["type"], str(fault["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{path}: {where} is not known in a mapping"
    if kind == "missing":
        return f"{path}: {where} is missing"
    if kind == "string_pattern_mismatch":
        message = f"expected another form ({fault['ctx']['pattern']})"
    if kind == "value_error":
        return f"{path}: {where}: {message}"
    found = str(fault["input"])[:60]
    return f"{path}: {where}: {message[:1].lower()}{message[1:]}; found {found!r}"
