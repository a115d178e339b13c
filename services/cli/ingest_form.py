"""Which form each file of `caretally ingest` has, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.frame import configured, fail, instant_option

if TYPE_CHECKING:
    from infra.settings import Settings
    from services.bootstrap import Parts
    from services.doors.files import Headers, Reader
    from services.rows.mapping import TableMapping

Lines = Callable[[Path], int | None]


@dataclass(frozen=True)
class Asked:
    """The options that say how files are to be read."""

    form: str
    site: str | None
    mapping: Path | None
    exported_at: str | None


@dataclass(frozen=True)
class Form:
    """How to read a file: the headers of its deliveries, what takes it apart, how many lines it
    has (None where nobody knows), and whether each line that is refused is told at once."""

    marks: Headers
    read: Reader
    lines: Lines
    reading: str = ""
    tells: bool = False


def settings_with(mapping: Path | None) -> Settings:
    """The settings, with a mapping beside those that they name."""
    settings = configured()
    if mapping is None:
        return settings
    return settings.model_copy(update={"mappings": f"{settings.mappings},{mapping}"})


def form_of(parts: Parts, path: Path, asked: Asked) -> Form:
    """The form of a file; options that do not fit end the command."""
    if asked.mapping is not None:
        if asked.form != "auto" or asked.site is not None:
            fail("--mapping: expected without --format and --site: the mapping says what it is")
        return _mapped(path, asked.mapping, asked.exported_at)
    if asked.exported_at is not None:
        fail("--exported-at: expected with --mapping only")
    form = asked.form
    if form == "auto":
        form = "hl7v2" if path.name.removesuffix(".gz").lower().endswith(".hl7") else "events"
    return _events(asked.site) if form == "events" else _of_site(parts, form, asked.site)


def _events(site: str | None) -> Form:
    from services.doors.lines import lines_of

    if site is not None:
        fail("--site: expected with FHIR and HL7 v2 files only")
    return Form((), lines_of, line_count)


def _of_site(parts: Parts, form: str, site: str | None) -> Form:
    from services.doors.fhir_files import documents_of
    from services.doors.hl7_files import messages_of
    from services.translate.marks import FHIR, HL7V2, marked

    sites = [name for name, each in parts.sites.items() if form == "fhir" or each.hl7v2]
    if not sites:
        lacking = "a site profile" if form == "fhir" else "a site profile with [hl7v2]"
        fail(f"--format {form}: needs {lacking}: set CARETALLY_FHIR_SITES")
    if site is not None and site not in sites:
        fail(f"--site: expected one of {', '.join(sites)}; found {site[:60]!r}")
    if form == "hl7v2":
        return Form(marked(site or "", form=HL7V2), messages_of, lambda _: None)
    if site is None and len(sites) > 1:
        fail(f"--site: expected one of {', '.join(sites)}")
    return Form(marked(site or sites[0], form=FHIR), documents_of, line_count)


def _mapped(path: Path, file: Path, exported_at: str | None) -> Form:
    from services.doors.lines import lines_of
    from services.rows.files import read_mapping
    from services.rows.marks import of_changes
    from services.translate.stamping import digest_of

    mapping = read_mapping(file)
    reading = f":{digest_of(mapping.model_dump())[:16]}"
    if mapping.rows is not None:
        return _sheet(path, mapping, f"{reading}{exported_at or ''}", exported_at)
    if exported_at is not None:
        fail("--exported-at: expected with a mapping of a spreadsheet")
    return Form(of_changes(mapping.name), lines_of, line_count, reading, True)


def _sheet(path: Path, mapping: TableMapping, reading: str, exported_at: str | None) -> Form:
    """A spreadsheet's, which is looked through before anything is taken."""
    from services.doors.lines import sha256_of
    from services.rows.marks import of_sheet
    from services.sheets.reading import SheetError, SheetReader

    instant_option(exported_at, "--exported-at")
    reader = SheetReader(mapping)
    try:
        last = reader.survey(path).last_line
    except SheetError as error:
        fail(f"{error}; nothing was taken")
    with path.open("rb") as file:
        marks = of_sheet(mapping.name, sha256_of(file)[:16], exported_at or "")
    return Form(marks, reader.lines, lambda _: last, reading, True)


def line_count(path: Path) -> int | None:
    """How many lines a plain file has; a packed one would cost too much to count."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return None
        file.seek(0)
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
