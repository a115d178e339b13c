"""Opaque ids as parts of addresses: whatever an id holds, it stays one part and survives the way.

Letters, digits, `.`, `_` and `-` stand for themselves, every other byte of the UTF-8 is `~` with
two hexadecimal digits. So `pt-0001` reads as it is, and an id with a slash, a space or a per cent
sign needs no second escaping, whatever proxies do to those.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.convertors import Convertor, register_url_convertor

_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_ESCAPED: Final = re.compile(rb"~([0-9a-f]{2})")
NAME: Final = "id"
"""In a route's path: `{patient:id}`."""


def part(id: str) -> str:
    """The id as a part of an address."""
    plain = _PLAIN if id.strip(".") else frozenset[int]()  # "." and ".." lead elsewhere
    return "".join(chr(b) if b in plain else f"~{b:02x}" for b in id.encode())


def id_of(part: str) -> str:
    """The id that a part stands for; one that no id encodes to becomes some unknown id."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), part.encode()).decode(
        errors="replace"
    )


class _Ids(Convertor[str]):
    regex = "(?:[A-Za-z0-9._-]|~[0-9a-f]{2})+"

    def convert(self, value: str) -> str:
        return id_of(value)

    def to_string(self, value: str) -> str:
        return part(value)


register_url_convertor(NAME, _Ids())
