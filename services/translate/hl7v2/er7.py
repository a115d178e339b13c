"""Reading ER7, the `|^~\\&` form of HL7 v2, without trust: bytes to segments, no more.

Only what is asked for is taken apart. Fields and components are counted from 1, as HL7 does; MSH-1
is the field separator itself. An absent field is empty text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from domain.rejections import Reason
from services.translate.hl7v2.charset import charset_of
from services.translate.hl7v2.segments import Delimiters, Segment, delimiters_of
from services.wire.limits import MESSAGE_BYTES_MAX
from services.wire.refusal import quoted, refused

SEGMENTS_MAX: Final = 10_000
FIELDS_MAX: Final = 1_000
"""Of one segment; the longest in the standard has 105."""

_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
FRAME_START: Final = b"\x0b"
FRAME_END: Final = b"\x1c\r"


class Message:
    """A message of at least an MSH segment; the others are made when they are asked for."""

    __slots__ = ("_found", "_lines", "_names", "charset", "delimiters", "event", "msh")

    def __init__(self, lines: list[str], msh: Segment) -> None:
        """`msh` is the first line."""
        self._lines, self.delimiters, self.charset = lines, msh.delimiters, msh.charset
        self._names = [line[:3] for line in lines]
        self.msh = msh
        self._found = {0: msh}
        self.event = _event(msh.raw(9), self.delimiters, self.charset)
        """Message type and trigger event, `("ADT", "A01")`."""

    @property
    def segments(self) -> list[Segment]:
        """All segments, in order."""
        return [self._at(place) for place in range(len(self._lines))]

    def all(self, name: str) -> list[Segment]:
        """The segments of this name, in order."""
        return [self._at(place) for place, each in enumerate(self._names) if each == name]

    def first(self, name: str) -> Segment | None:
        """The first segment of this name."""
        return self._at(self._names.index(name)) if name in self._names else None

    def _at(self, place: int) -> Segment:
        found = self._found.get(place)
        if found is None:
            line = self._lines[place]
            found = Segment(self._names[place], line, self.delimiters, self.charset)
            self._found[place] = found
        return found


@lru_cache(maxsize=1024)
def _event(raw: str, delimiters: Delimiters, charset: str) -> tuple[str, str]:
    segment = Segment("", raw, delimiters, charset)
    return segment.get(0, 1), segment.get(0, 2)


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
    lines = _lines(text)
    if lines[0] == msh.line:
        msh.charset = charset
    else:
        msh = Segment("MSH", lines[0], delimiters_of(text), charset)
    if not _are_right(lines, msh.delimiters, len(text)):
        _complain(lines, msh.delimiters)
    return Message(lines, msh)


def unframed(value: bytes) -> bytes:
    """The message without MLLP's frame, and without blanks around it."""
    return value.strip(b"\x0b\x1c\r\n\t ").removeprefix(b"\xef\xbb\xbf")


def _end_of_line(value: bytes) -> int:
    end = value.find(b"\r")
    end = len(value) if end < 0 else end
    other = value.find(b"\n", 0, end)
    return end if other < 0 else other


def _lines(text: str) -> list[str]:
    """Segments end with CR; some senders end them with LF, and some with both. Where CR is used,
    a lone LF is part of a text."""
    lines = text.split("\r") if "\r" in text else text.split("\n")
    found = [line for line in lines if line and not line.isspace()]
    if "\n" in text:
        found = [line.strip("\n") for line in found]
    if len(found) > SEGMENTS_MAX:
        raise refused(Reason.NOT_HL7, "", f"at most {SEGMENTS_MAX} segments", "more")
    return found


@lru_cache(maxsize=1024)
def _is_head(text: str, field: str) -> bool:
    """Whether a segment can begin so: a name, and the sign behind it."""
    return _NAME.fullmatch(text[:3]) is not None and text[3:] in (field, "")


def _are_right(lines: list[str], sign: Delimiters, chars: int) -> bool:
    """Whether lines of so many characters can be segments without a closer look."""
    heads = [line[:4] for line in lines]
    for head in heads:
        if not _is_head(head, sign.field):
            return False
    headers = heads.count(f"MSH{sign.field}") + heads.count("MSH")
    return headers == 1 and (chars <= FIELDS_MAX or max(map(len, lines)) <= FIELDS_MAX)


def _complain(lines: list[str], sign: Delimiters) -> None:
    """Raises `Refused` for the first segment that is none, that is a second header, or has too
    many fields."""
    for number, line in enumerate(lines, 1):
        where, name = f"segment {number}", line[:3]
        if not _is_head(line[:4], sign.field):
            expected = "three capital letters or digits and the field separator"
            raise refused(Reason.NOT_HL7, where, expected, quoted(name))
        if number > 1 and name == "MSH":
            raise refused(Reason.NOT_HL7, where, "one message", "another MSH")
        if line.count(sign.field) >= FIELDS_MAX:
            raise refused(Reason.NOT_HL7, where, f"at most {FIELDS_MAX} fields", "more")
