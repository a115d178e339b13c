"""Reading ER7, the `|^~\\&` form of HL7 v2, without trust: bytes to segments, no more.

Only what is asked for is taken apart. Fields and components are counted from 1, as HL7 does; MSH-1
is the field separator itself. An absent field is empty text.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.rejections import Reason
from services.translate.hl7v2.charset import charset_of
from services.translate.hl7v2.escapes import unescape
from services.wire.limits import MESSAGE_BYTES_MAX
from services.wire.refusal import quoted, refused

SEGMENTS_MAX: Final = 10_000
FIELDS_MAX: Final = 1_000
"""Of one segment; the longest in the standard has 105."""
REPETITIONS_MAX: Final = 1_000

NULL: Final = '""'
"""What a field holds that was emptied: "delete what you have", where empty means "no change"."""

FRAME_START: Final = b"\x0b"
FRAME_END: Final = b"\x1c\r"


class Delimiters(NamedTuple):
    """MSH-1 and MSH-2. `truncation` (v2.7) and `subcomponent` are '' where there are none."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str


class Segment:
    """One line. `name` is of three characters; `number` counts segments from 1."""

    __slots__ = ("_charset", "_delimiters", "_fields", "name", "number")

    def __init__(
        self, name: str, number: int, fields: list[str], delimiters: Delimiters, charset: str
    ) -> None:
        self.name, self.number = name, number
        self._fields, self._delimiters, self._charset = fields, delimiters, charset

    @classmethod
    def of_header(cls, line: str) -> Segment:
        """An MSH segment alone. Raises `Refused`."""
        delimiters = _delimiters(line)
        return cls("MSH", 1, _fields(line, 1, delimiters), delimiters, "latin-1")

    @property
    def delimiters(self) -> Delimiters:
        return self._delimiters

    @property
    def signs(self) -> str:
        """MSH-2 of these delimiters."""
        return "".join(self._delimiters[1:])

    def text_of(self, text: str) -> str:
        """The text with what would part it escaped; without an escape sign, left out."""
        sign = self._delimiters
        letters = zip(sign[:5], "FSRET", strict=True)
        escaped = {ord(each): f"{sign.escape}{name}{sign.escape}" for each, name in letters if each}
        if not sign.escape:
            escaped = dict.fromkeys(escaped, " ")
        return text.translate({**escaped, ord("\r"): " ", ord("\n"): " "})

    def raw(self, field: int) -> str:
        """The field as it was written."""
        return self._fields[field] if field < len(self._fields) else ""

    def repetitions(self, field: int) -> list[str]:
        """The field's repetitions as they were written; none of an empty field."""
        raw = self.raw(field)
        if not raw:
            return []
        found = raw.split(self._delimiters.repetition) if self._delimiters.repetition else [raw]
        if len(found) > REPETITIONS_MAX:
            where = f"{self.name}-{field}"
            raise refused(Reason.NOT_HL7, where, f"at most {REPETITIONS_MAX} repetitions", "more")
        return found

    def component(self, raw: str, component: int, sub: int = 1) -> str:
        """The text of a subcomponent of a repetition."""
        sign = self._delimiters
        parts = raw.split(sign.component) if sign.component else [raw]
        if component > len(parts):
            return ""
        part = parts[component - 1]
        if sign.subcomponent and sign.subcomponent in part:
            subs = part.split(sign.subcomponent)
            part = subs[sub - 1] if sub <= len(subs) else ""
        elif sub > 1:
            return ""
        return self.text(part)

    def get(self, field: int, component: int = 1, sub: int = 1) -> str:
        """The text of a component of the field's first repetition."""
        raw = self.raw(field)
        repetition = self._delimiters.repetition
        if repetition and repetition in raw:
            raw = raw.partition(repetition)[0]
        return self.component(raw, component, sub)

    def text(self, raw: str) -> str:
        """Text with its escapes resolved."""
        escape = self._delimiters.escape
        if not escape or escape not in raw:
            return raw
        return unescape(raw, self._delimiters, self._charset)


class Message:
    """A message of at least an MSH segment."""

    __slots__ = ("charset", "delimiters", "msh", "segments")

    def __init__(self, segments: list[Segment], delimiters: Delimiters, charset: str) -> None:
        self.segments, self.delimiters, self.charset = segments, delimiters, charset
        self.msh = segments[0]

    def all(self, name: str) -> list[Segment]:
        """The segments of this name, in order."""
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        return next((each for each in self.segments if each.name == name), None)

    @property
    def event(self) -> tuple[str, str]:
        """Message type and trigger event, `("ADT", "A01")`."""
        return self.msh.get(9, 1), self.msh.get(9, 2)


def header_of(value: bytes) -> Segment:
    """The MSH segment alone, for whoever must know the sender first. Raises `Refused`."""
    value = unframed(value)
    return Segment.of_header(value[: _end_of_line(value)].decode("latin-1"))


def read_message(value: bytes, default_charset: str = "utf-8") -> Message:
    """A message of these bytes; `default_charset` is for those whose MSH-18 says none.

    A frame of MLLP around it is taken off. Raises `Refused`.
    """
    if len(value) > MESSAGE_BYTES_MAX:
        limit = f"at most {MESSAGE_BYTES_MAX} bytes"
        raise refused(Reason.TOO_LARGE, "", limit, f"{len(value)} bytes")
    value = unframed(value)
    charset = charset_of(header_of(value), default_charset)
    try:
        text = value.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise refused(Reason.NOT_HL7, "MSH-18", f"text in {charset}", "other bytes") from None
    delimiters = _delimiters(text)
    lines = _lines(text)
    segments = [_segment(n, line, delimiters, charset) for n, line in enumerate(lines, 1)]
    return Message(segments, delimiters, charset)


def unframed(value: bytes) -> bytes:
    """The message without MLLP's frame, and without blanks around it."""
    return value.strip(b"\x0b\x1c\r\n\t ").removeprefix(b"\xef\xbb\xbf")


def _end_of_line(value: bytes) -> int:
    ends = [at for at in (value.find(b"\r"), value.find(b"\n")) if at >= 0]
    return min(ends, default=len(value))


def _lines(text: str) -> list[str]:
    """Segments end with CR; some senders end them with LF, and some with both. Where CR is used,
    a lone LF is part of a text."""
    lines = text.split("\r") if "\r" in text else text.split("\n")
    found = [line.strip("\n") for line in lines if not line.isspace() and line]
    if len(found) > SEGMENTS_MAX:
        raise refused(Reason.NOT_HL7, "", f"at most {SEGMENTS_MAX} segments", "more")
    return found


def _delimiters(text: str) -> Delimiters:
    if not text.startswith("MSH") or not text[4:5].strip():
        raise refused(Reason.NOT_HL7, "MSH", "a message that begins with MSH", "another text")
    field = text[3]
    signs = text[4:12].partition(field)[0].splitlines()[0]
    found = [field, *signs]
    if not 2 <= len(found) <= 6 or len(set(found)) < len(found) or any(map(_unfit, found)):
        expected = "one to five signs that differ, and no letter or digit among them"
        raise refused(Reason.NOT_HL7, "MSH-2", expected, quoted(signs[:10]))
    return Delimiters(*[*found, "", "", "", "", ""][:6])


def _unfit(sign: str) -> bool:
    return sign.isalnum() or sign.isspace() or not sign.isprintable()


def _segment(number: int, line: str, delimiters: Delimiters, charset: str) -> Segment:
    name = line[:3]
    proper = len(name) == 3 and name.isascii() and name.isalnum() and name.isupper()
    if not proper or (len(line) > 3 and line[3] != delimiters.field):
        expected = "three capital letters or digits and the field separator"
        where = f"segment {number}"
        raise refused(Reason.NOT_HL7, where, expected, quoted(name))
    if name == "MSH" and number > 1:
        raise refused(Reason.NOT_HL7, f"segment {number}", "one message", "another MSH")
    return Segment(name, number, _fields(line, number, delimiters), delimiters, charset)


def _fields(line: str, number: int, delimiters: Delimiters) -> list[str]:
    fields = line.split(delimiters.field)
    if len(fields) > FIELDS_MAX:
        where = f"segment {number}"
        raise refused(Reason.NOT_HL7, where, f"at most {FIELDS_MAX} fields", "more")
    if fields[0] == "MSH":
        fields.insert(1, delimiters.field)
    return fields
