"""Escape sequences of ER7: signs, hexadecimal bytes, line breaks, and what is only for the eye."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from services.translate.hl7v2.segments import Delimiters

_HEX: Final = re.compile(r"X(?:[0-9A-Fa-f]{2})+", re.ASCII)
_SPACES: Final = re.compile(r"\.sp\+?(\d{1,3})?", re.ASCII)
_FOR_THE_EYE: Final = re.compile(r"H|N|\.(?:in|ti|sk|fi|nf|ce)[+-]?\d{0,4}", re.ASCII)


def unescape(raw: str, delimiters: Delimiters, charset: str) -> str:
    """The text that was meant. A sequence that is not known, such as a local one, and a lone
    escape sign stay as they are: nothing is dropped that may mean something."""
    sign = delimiters.escape
    parts = raw.split(sign)
    found = [parts[0]]
    at = 1
    while at < len(parts):
        if at + 1 == len(parts):
            found.append(sign + parts[at])
            break
        meant = _meant(parts[at], delimiters, charset)
        if meant is None:
            found.append(sign + parts[at])
            at += 1
            continue
        found += [meant, parts[at + 1]]
        at += 2
    return "".join(found)


def _meant(sequence: str, delimiters: Delimiters, charset: str) -> str | None:
    signs = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": delimiters.truncation,
    }
    if sequence in signs:
        return signs[sequence] or None
    if _HEX.fullmatch(sequence):
        return _decoded(bytes.fromhex(sequence[1:]), charset)
    if sequence == ".br":
        return "\n"
    if spaces := _SPACES.fullmatch(sequence):
        return "\n" * int(spaces[1] or 1)
    return "" if _FOR_THE_EYE.fullmatch(sequence) else None


def _decoded(octets: bytes, charset: str) -> str | None:
    try:
        return octets.decode(charset)
    except UnicodeDecodeError:
        return None
