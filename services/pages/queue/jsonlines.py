"""JSON as lines for people: each knows its path, and nothing of the text is lost.

Numbers stay as they were written, doubled names stay doubled, and what could turn or hide a line
is escaped. So what is shown may be corrected and sent in again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from services.explain.text import UNPRINTABLE

Path = tuple[str, ...]
DEPTH_MAX: Final = 64
INDENT: Final = "  "


class Line(NamedTuple):
    path: Path
    text: str


class Members(list[tuple[str, Any]]):
    """An object's members as they were written."""


class Written(str):
    """A number as it was written."""

    __slots__ = ()


def read(text: str) -> Any:
    """The value, in these two forms. Raises ValueError, for too much nesting too."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=Members,
            parse_float=Written,
            parse_int=Written,
            parse_constant=Written,
        )
        if _is_deep(value):
            raise ValueError("too deep")
    except RecursionError:
        raise ValueError("too deep") from None
    return value


def lines(value: Any, path: Path = (), lead: str = "", end: str = "") -> Iterator[Line]:
    """The value's lines; a closing bracket has the path of what it closes."""
    named = isinstance(value, Members)
    if not isinstance(value, list) or not value:
        yield Line(path, f"{lead}{_scalar(value)}{end}")
        return
    indent = lead[: len(lead) - len(lead.lstrip(" "))]
    yield Line(path, f"{lead}{'{' if named else '['}")
    last = len(value) - 1
    for number, item in enumerate(value):
        name, inner = item if named else (str(number), item)
        shown = f"{indent}{INDENT}{_scalar(name)}: " if named else f"{indent}{INDENT}"
        yield from lines(inner, (*path, name), shown, "," if number < last else "")
    yield Line(path, f"{indent}{'}' if named else ']'}{end}")


def found_at(value: Any, field: str) -> tuple[Path, bool]:
    """Where a field as refusals name it lies in the value, as deep as there is anything of it; and
    whether it is there. A name that begins nowhere at the top is looked for everywhere."""
    names = tuple(field.split(".")) if field else ()
    path, whole = _walked(value, names)
    if path or not names:
        return path, whole and bool(names)
    if (found := _anywhere(value, field)) is not None:
        return found, True
    return (), False


def _walked(value: Any, names: Path) -> tuple[Path, bool]:
    path: Path = ()
    for name in names:
        inner = dict(_items(value))
        if name not in inner:
            return path, False
        path, value = (*path, name), inner[name]
    return path, True


def _anywhere(value: Any, name: str, path: Path = ()) -> Path | None:
    for key, inner in _items(value):
        if key == name:
            return (*path, key)
        if (found := _anywhere(inner, name, (*path, key))) is not None:
            return found
    return None


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Members):
        return value
    return [(str(n), item) for n, item in enumerate(value)] if isinstance(value, list) else []


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [inner for item in level for _, inner in _items(item)]
    return bool(level)


def _scalar(value: Any) -> str:
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, Members):
        return "{}"
    text = json.dumps(value, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
