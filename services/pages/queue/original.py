"""What came, readable: lines of text with the place of the refusal marked, and the text to edit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from projections.letters import DeadLetter
from services.explain.text import UNPRINTABLE
from services.pages.queue import jsonlines
from services.rows.marks import CHANGE, SHEET
from services.translate.marks import FHIR, HL7V2
from services.wire.envelope import ATTRIBUTES
from services.wire.modes import STRUCTURED

CHARS_MAX: Final = 200_000
"""Of a text that is shown whole and edited; of a longer one the beginning is shown."""

DUMPED_BYTES_MAX: Final = 2_048
_DUMPED: Final = 16
_FRAME: Final = b"\x0b\x1c"
_SEGMENT: Final = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[\d+\])?(?:-(\d+))?")
_BREAK: Final = re.compile("\r\n|\r|\n")

Form = Literal["event", "resource", "row", "message", "text", "bytes", "nothing"]
WORDS: Final[dict[Form, str]] = {
    "event": "an event as JSON",
    "resource": "a FHIR resource",
    "row": "a row of a table",
    "message": "an HL7 v2 message",
    "text": "a text",
    "bytes": "bytes that are no text",
    "nothing": "nothing: a message without a value",
}


class Span(NamedTuple):
    text: str
    marked: bool = False


Shown = Sequence[Span]
"""One line."""


@dataclass(frozen=True, slots=True)
class Original:
    """`lines` are for the eye, `text` for the hand: empty where there is none to edit.

    `missing` says that the refused field is not there, and the line is marked where it belongs.
    """

    form: Form
    lines: Sequence[Shown]
    text: str = ""
    missing: bool = False
    cut: bool = False

    @property
    def words(self) -> str:
        return WORDS[self.form]


def is_foreign(letter: DeadLetter) -> bool:
    """Whether a site's profile or a mapping says what is in it."""
    return bool(letter.headers) and letter.headers[0][0] in (FHIR, HL7V2, SHEET, CHANGE)


def attributes_of(letter: DeadLetter) -> dict[str, str]:
    """The event's attributes that came beside it: the first of each name."""
    found: dict[str, str] = {}
    for raw, value in () if is_foreign(letter) else letter.headers:
        name = raw.lower()
        if name.startswith(("ce_", "ce-")):
            found.setdefault(name[3:], value.decode("utf-8", "replace"))
        elif name == "content-type" and not value.startswith(b"application/cloudevents"):
            found.setdefault("datacontenttype", value.decode("utf-8", "replace"))
    return found if found.keys() - {"datacontenttype"} else {}


def original_of(letter: DeadLetter) -> Original:
    """What came, ready to be shown."""
    text = _text_of(letter)
    if letter.value is None:
        return Original("nothing", ())
    if text is None:
        return Original("bytes", list(_dumped(letter.value)))
    form = _form_of(letter)
    if form == "message":
        return _message(letter, text)
    beside = attributes_of(letter)
    try:
        value = jsonlines.read(text)
    except ValueError:
        return _plain(_composed_text(beside, text) if beside else text)
    field = letter.field.removeprefix("data.") if beside else letter.field
    return _document("event" if form == "text" else form, value, field, beside)


def headers_for(letter: DeadLetter) -> tuple[tuple[str, bytes], ...]:
    """The headers with which a corrected text goes in: one of ours is a whole event, wherever its
    attributes were before."""
    if is_foreign(letter):
        return letter.headers
    kept = [
        (name, value)
        for name, value in letter.headers
        if not name.lower().startswith(("ce_", "ce-")) and name.lower() != "content-type"
    ]
    return (*kept, ("content-type", STRUCTURED.encode()))


def bytes_of(letter: DeadLetter, text: str) -> bytes:
    """A corrected text as the bytes that go in: with the original's ends of lines and encoding.
    Raises ValueError for a letter that the encoding does not have."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    value = letter.value or b""
    if _form_of(letter) != "message":
        return text.encode()
    body = value.strip(_FRAME)
    end = "\r\n" if b"\r\n" in body else "\r" if b"\r" in body else "\n"
    try:
        body.decode()
        return text.replace("\n", end).encode()
    except UnicodeDecodeError:
        return text.replace("\n", end).encode("latin-1")


def _form_of(letter: DeadLetter) -> Form:
    if not is_foreign(letter):
        return "text"
    forms: dict[str, Form] = {FHIR: "resource", HL7V2: "message"}
    return forms.get(letter.headers[0][0], "row")


def _text_of(letter: DeadLetter) -> str | None:
    value = letter.value or b""
    if _form_of(letter) != "message":
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    body = value.strip(_FRAME)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1")  # each byte is a sign, and becomes the same byte again


def _document(form: Form, value: Any, field: str, beside: dict[str, str]) -> Original:
    path, whole = jsonlines.found_at(value, field)
    shown: list[Shown] = []
    marked = 0
    for line in jsonlines.lines(value):
        hit = _is_hit(line.path, path, whole, bool(field) and field not in beside, marked)
        marked += hit
        shown.append((Span(line.text, hit),))
    whole_event = _composed(beside, value) if beside else value
    text = "\n".join(line.text for line in jsonlines.lines(whole_event))
    cut = len(text) > CHARS_MAX
    return Original(
        form,
        _first(shown) if cut else shown,
        "" if cut else text,
        missing=bool(field) and not whole and field not in beside,
        cut=cut,
    )


def _is_hit(line: Any, path: Any, whole: bool, wanted: bool, marked: int) -> bool:
    """All lines of a field that is there; where it belongs, if it is not."""
    if not wanted:
        return False
    return line[: len(path)] == path if whole else line == path and not marked


def _composed(beside: dict[str, str], data: Any) -> Any:
    names = [name for name in ATTRIBUTES if name in beside]
    names += [name for name in beside if name not in names]
    return jsonlines.Members([*((name, beside[name]) for name in names), ("data", data)])


def _composed_text(beside: dict[str, str], data: str) -> str:
    """The same where the data are no JSON: they stand as they came, to be mended."""
    mark = "\ue000"
    made = "\n".join(line.text for line in jsonlines.lines(_composed(beside, mark)))
    return made.replace(f'"{mark}"', data)


def _plain(text: str) -> Original:
    shown = [(Span(line.expandtabs()),) for line in _BREAK.split(text[:CHARS_MAX])]
    cut = len(text) > CHARS_MAX
    return Original("text", shown, "" if cut or not _is_writable(text) else text, cut=cut)


def _message(letter: DeadLetter, text: str) -> Original:
    found = _SEGMENT.match(letter.field)
    segment, number = (found[1], int(found[2] or 0)) if found else ("", 0)
    parts = _BREAK.split(text[:CHARS_MAX].rstrip("\r\n"))
    shown = [_segment(part, segment, number) for part in parts]
    there = any(span.marked for line in shown for span in line)
    cut = len(text) > CHARS_MAX
    whole = "\n".join(_BREAK.split(text))
    edited = "" if cut or not _is_writable(whole) else whole
    return Original("message", shown, edited, missing=bool(segment) and not there, cut=cut)


def _segment(text: str, name: str, number: int) -> Shown:
    """The segment, with its field of this number marked; 0: the whole of it."""
    if not name or not text.startswith(name):
        return (Span(text),)
    sign = text[3:4]
    fields = text.split(sign) if sign else [text]
    place = number - 1 if name in ("MSH", "FHS", "BHS") else number
    if number == 0 or not 0 < place < len(fields):
        return (Span(text, True),)
    before, after = sign.join(fields[:place]) + sign, sign.join(fields[place + 1 :])
    rest = [Span(sign + after)] if place + 1 < len(fields) else []
    return (Span(before), Span(fields[place] or " ", True), *rest)


def _is_writable(text: str) -> bool:
    """Whether a form gives it back as it is."""
    return not UNPRINTABLE.search(text.replace("\n", "").replace("\t", "").replace("\r", ""))


def _first(lines: Sequence[Shown]) -> Sequence[Shown]:
    """As many lines as are shown of what is too long."""
    length, kept = 0, []
    for line in lines:
        length += sum(len(span.text) for span in line)
        if length > CHARS_MAX:
            break
        kept.append(line)
    return kept


def _dumped(value: bytes) -> Iterator[Shown]:
    """The first bytes as hexadecimal numbers and letters."""
    for start in range(0, min(len(value), DUMPED_BYTES_MAX), _DUMPED):
        part = value[start : start + _DUMPED]
        signs = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        yield (Span(f"{start:06x}  {part.hex(' '):<{3 * _DUMPED}} {signs}"),)
