"""FHIR that nobody here wrote: files, folders and packages, input by input."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path(__file__).parents[1] / "data" / "fhir"
SHARED = Path(__file__).parents[3] / "shared" / "data"
RELEASES = {"4.0.1": "R4", "4.3.0": "R4B", "5.0.0": "R5"}
NO_EXAMPLES = ("package.json", ".index.json")


class Input(NamedTuple):
    """One message: a resource or a bundle, as its bytes. `release` is R4, R4B or R5."""

    name: str
    release: str
    value: bytes


def inputs_of(path: Path) -> Iterator[Input]:
    """Every input in a file or folder, in order of name."""
    if path.is_dir():
        yield from _of_folder(path)
    elif path.name.endswith(".tgz"):
        yield from _of_package(path)
    else:
        yield from _of_file(path, "R4")


def _of_folder(folder: Path) -> Iterator[Input]:
    release = "R4"
    if (manifest := folder / "package.json").exists():
        release = _release(json.loads(manifest.read_text("utf-8")))
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from (each._replace(release=release) for each in _of_folder(path))
        elif path.name not in NO_EXAMPLES:
            yield from _of_file(path, release)


def _of_package(path: Path) -> Iterator[Input]:
    with tarfile.open(path) as archive:
        files = {member.name: member for member in archive.getmembers() if member.isfile()}
        manifest = archive.extractfile(files["package/package.json"])
        assert manifest is not None
        release = _release(json.loads(manifest.read()))
        for name in sorted(files):
            found = archive.extractfile(files[name])
            if name.endswith(".json") and Path(name).name not in NO_EXAMPLES and found:
                yield Input(name, release, found.read())


def _of_file(path: Path, release: str) -> Iterator[Input]:
    release = next((r for r in ("R4B", "R5") if f"_{r.lower()}." in path.name), release)
    if path.suffix == ".json":
        yield Input(path.name, release, path.read_bytes())
    elif ".ndjson" in path.suffixes:
        whole = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for number, line in enumerate(whole.splitlines(), start=1):
            yield Input(f"{path.name}:{number}", release, line)


def _release(manifest: dict[str, Any]) -> str:
    versions = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or ["4.0.1"]
    return RELEASES.get(versions[0], "R4")
