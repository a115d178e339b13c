"""Reading ER7, the `|^~\\&` form of HL7 v2, without trust: bytes to segments, no more.

Only what is asked for is taken apart. Fields and components are counted from 1, as HL7 does; MSH-1
is the field separator itself. An absent field is empty text.
"""

from __future__ import annotations

import re
from functools import lru_cache
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

_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
FRAME_START: Final = b"\x0b"
FRAME_END: Final = b"\x1c\r"


class Delimiters(NamedTuple):
    """MSH-1 and MSH-2. What comes after `component` is '' where there is none; `truncation` came
    with v2.7."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    truncation: str


class Segment:
    """One line, taken apart when it is asked for. `name` is of three characters."""

    __slots__ = ("_charset", "_fields", "_line", "delimiters", "name")

    def __init__(self, name: str, line: str, delimiters: Delimiters, charset: str) -> None:
        self.name, self.delimiters = name, delimiters
        self._line, self._charset = line, charset
        self._fields: list[str] | None = None

    @classmethod
    def of_header(cls, line: str) -> Segment:
        """An MSH segment alone. Raises `Refused`."""
        return cls("MSH", line, _delimiters(line), "latin-1")

    @property
    def signs(self) -> str:
        """MSH-2 of these delimiters."""
        return "".join(self.delimiters[1:])

    def text_of(self, text: str) -> str:
        """The text with what would part it escaped; without an escape sign, left out."""
        sign = self.delimiters
        letters = zip(sign[:5], "FSRET", strict=True)
        escaped = {ord(each): f"{sign.escape}{name}{sign.escape}" for each, name in letters if each}
        if not sign.escape:
            escaped = dict.fromkeys(escaped, " ")
        return text.translate({**escaped, ord("\r"): " ", ord("\n"): " "})

    def raw(self, field: int) -> str:
        """The field as it was written."""
        fields = self._fields
        if fields is None:
            fields = self._fields = self._line.split(self.delimiters.field)
            if self.name == "MSH":
                fields.insert(1, self.delimiters.field)
        return fields[field] if field < len(fields) else ""

    def repetitions(self, field: int) -> list[str]:
        """The field's repetitions as they were written; none of an empty field."""
        raw = self.raw(field)
        if not raw:
            return []
        sign = self.delimiters.repetition
        found = raw.split(sign) if sign and sign in raw else [raw]
        if len(found) > REPETITIONS_MAX:
            where = f"{self.name}-{field}"
            raise refused(Reason.NOT_HL7, where, f"at most {REPETITIONS_MAX} repetitions", "more")
        return found

    def component(self, raw: str, component: int, sub: int = 1) -> str:
        """The text of a subcomponent of a repetition."""
        if not raw or raw.isalnum():  # no sign is a letter or a digit
            return raw if component == sub == 1 else ""
        sign, part = self.delimiters, raw
        if sign.component in raw:
            parts = raw.split(sign.component, component)
            if component > len(parts):
                return ""
            part = parts[component - 1]
        elif component > 1:
            return ""
        if sign.subcomponent and sign.subcomponent in part:
            subs = part.split(sign.subcomponent)
            part = subs[sub - 1] if sub <= len(subs) else ""
        elif sub > 1:
            return ""
        return self.text(part)

    def get(self, field: int, component: int = 1, sub: int = 1) -> str:
        """The text of a component of the field's first repetition."""
        raw = self.raw(field)
        if not raw or raw.isalnum():
            return raw if component == sub == 1 else ""
        repetition = self.delimiters.repetition
        if repetition and repetition in raw:
            raw = raw.partition(repetition)[0]
        return self.component(raw, component, sub)

    def text(self, raw: str) -> str:
        """Text with its escapes resolved."""
        escape = self.delimiters.escape
        if not escape or escape not in raw:
            return raw
        return unescape(raw, self.delimiters, self._charset)


class Message:
    """A message of at least an MSH segment."""

    __slots__ = ("charset", "delimiters", "event", "msh", "segments")

    def __init__(self, segments: list[Segment], delimiters: Delimiters, charset: str) -> None:
        self.segments, self.delimiters, self.charset = segments, delimiters, charset
        self.msh = segments[0]
        self.event = self.msh.get(9, 1), self.msh.get(9, 2)
        """Message type and trigger event, `("ADT", "A01")`."""

    def all(self, name: str) -> list[Segment]:
        """The segments of this name, in order."""
        return [segment for segment in self.segments if segment.name == name]

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        return next((each for each in self.segments if each.name == name), None)


def header_of(value: bytes) -> Segment:
    """The MSH segment alone, for whoever must know the sender first. Raises `Refused`."""
    value = unframed(value)
    return Segment.of_header(value[: _end_of_line(value)].decode("latin-1"))


def read_message(value: bytes, default_charset: str = "utf-8") -> Message:
    """A message of these bytes; `default_charset` is for those whose MSH-18 says none. A frame of
    MLLP around it is taken off. Raises `Refused`."""
    return read_on(header_of(value), value, default_charset)


def read_on(msh: Segment, value: bytes, default_charset: str) -> Message:
    """As `read_message`, of which the header was read."""
    if len(value) > MESSAGE_BYTES_MAX:
        limit = f"at most {MESSAGE_BYTES_MAX} bytes"
        raise refused(Reason.TOO_LARGE, "", limit, f"{len(value)} bytes")
    value = unframed(value)
    charset = charset_of(msh, default_charset)
    try:
        text = value.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise refused(Reason.NOT_HL7, "MSH-18", f"text in {charset}", "other bytes") from None
    sign = _delimiters(text)
    segments = [_segment(n, line, sign, charset) for n, line in enumerate(_lines(text), 1)]
    return Message(segments, sign, charset)


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
    return _signs(text[:12].partition("\r")[0].partition("\n")[0])


@lru_cache(maxsize=256)
def _signs(text: str) -> Delimiters:
    """The delimiters that the beginning of a header names. Raises `Refused`."""
    if not text.startswith("MSH") or not text[4:5].strip():
        raise refused(Reason.NOT_HL7, "MSH", "a message that begins with MSH", "another text")
    field = text[3]
    signs = text[4:].partition(field)[0]
    found = [field, *signs]
    if not 2 <= len(found) <= 6 or len(set(found)) < len(found) or any(map(_unfit, found)):
        expected = "one to five signs that differ, and no letter or digit among them"
        raise refused(Reason.NOT_HL7, "MSH-2", expected, quoted(signs[:10]))
    return Delimiters(*[*found, "", "", "", "", ""][:6])


def _unfit(sign: str) -> bool:
    return sign.isalnum() or sign.isspace() or not sign.isprintable()


@lru_cache(maxsize=1024)
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def _segment(number: int, line: str, delimiters: Delimiters, charset: str) -> Segment:
    name, field = line[:3], delimiters.field
    if not _is_name(name) or line[3:4] not in (field, ""):
        expected = "three capital letters or digits and the field separator"
        where = f"segment {number}"
        raise refused(Reason.NOT_HL7, where, expected, quoted(name))
    if number > 1 and name == "MSH":
        raise refused(Reason.NOT_HL7, f"segment {number}", "one message", "another MSH")
    if len(line) > FIELDS_MAX and line.count(field) >= FIELDS_MAX:
        where = f"segment {number}"
        raise refused(Reason.NOT_HL7, where, f"at most {FIELDS_MAX} fields", "more")
    return Segment(name, line, delimiters, charset)
