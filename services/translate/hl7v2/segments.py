"""A segment of ER7, and the signs that part it. Only what is asked for is taken apart.

Fields and components are counted from 1, as HL7 does; MSH-1 is the field separator itself. An
absent field is empty text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from domain.rejections import Reason
from services.translate.hl7v2.escapes import unescape
from services.wire.refusal import quoted, refused

REPETITIONS_MAX: Final = 1_000

NULL: Final = '""'
"""What a field holds that was emptied: "delete what you have", where empty means "no change"."""


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

    __slots__ = ("_fields", "charset", "delimiters", "line", "name")

    def __init__(self, name: str, line: str, delimiters: Delimiters, charset: str) -> None:
        self.name, self.delimiters = name, delimiters
        self.line, self.charset = line, charset
        self._fields: list[str] | None = None

    @classmethod
    def of_header(cls, line: str) -> Segment:
        """An MSH segment alone. Raises `Refused`."""
        return cls("MSH", line, delimiters_of(line), "latin-1")

    @classmethod
    def of_field(cls, raw: str, delimiters: Delimiters, charset: str, where: str) -> Segment:
        """A field alone, as field 0; `where` is what complaints call it."""
        found = cls(where, "", delimiters, charset)
        found._fields = [raw]
        return found

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
        fields = self._fields or self._taken_apart()
        return fields[field] if field < len(fields) else ""

    def _taken_apart(self) -> list[str]:
        fields = self._fields = self.line.split(self.delimiters.field)
        if self.name == "MSH":
            fields.insert(1, self.delimiters.field)
        return fields

    def repetitions(self, field: int) -> list[str]:
        """The field's repetitions as they were written; none of an empty field."""
        raw = self.raw(field)
        if not raw:
            return []
        sign = self.delimiters.repetition
        found = raw.split(sign) if sign and sign in raw else [raw]
        if len(found) > REPETITIONS_MAX:
            where = f"{self.name}-{field}" if field else self.name
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
        fields = self._fields or self._taken_apart()
        raw = fields[field] if field < len(fields) else ""
        if not raw or raw.isalnum():
            return raw if component == sub == 1 else ""
        repetition = self.delimiters.repetition
        if repetition and repetition in raw:
            raw = raw.partition(repetition)[0]
        return self.component(raw, component, sub)

    def components(self, repetition: str) -> list[str]:
        """The components of a repetition as they were written; `part` reads them."""
        sign = self.delimiters.component
        return repetition.split(sign) if sign else [repetition]

    def part(self, components: list[str], component: int, sub: int = 1) -> str:
        """As `component`, of a repetition that was taken apart before."""
        raw = components[component - 1] if component <= len(components) else ""
        if not raw or raw.isalnum():
            return raw if sub == 1 else ""
        sign = self.delimiters.subcomponent
        if sign and sign in raw:
            subs = raw.split(sign)
            raw = subs[sub - 1] if sub <= len(subs) else ""
        elif sub > 1:
            return ""
        return self.text(raw)

    def text(self, raw: str) -> str:
        """Text with its escapes resolved."""
        escape = self.delimiters.escape
        if not escape or escape not in raw:
            return raw
        return unescape(raw, self.delimiters, self.charset)


def delimiters_of(text: str) -> Delimiters:
    """Those that the beginning of a message names. Raises `Refused`."""
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
