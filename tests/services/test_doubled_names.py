"""A member name that comes twice in its object is seen, however it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire import json_text
from services.wire.refusal import Refused
from tests.thoroughness import examples

NAMES = st.sampled_from(["a", "b", ":", "a:", "é", "\n", '"', "\\", "u003a", "\\u003a", "", "/"])
TEXTS = NAMES | st.text(max_size=8).filter(lambda text: text < "\ud800" or text > "\udfff")


def written(value: Any, draw: Any) -> str:
    """The value as JSON text, each character written in one of the ways there are."""
    if isinstance(value, list):
        return "[" + ",".join(written(each, draw) for each in value) + "]"
    if isinstance(value, tuple):
        pairs = (f"{string(name, draw)}:{written(each, draw)}" for name, each in value)
        return "{" + ",".join(pairs) + "}"
    return string(value, draw) if isinstance(value, str) else json.dumps(value)


def string(text: str, draw: Any) -> str:
    found = ""
    for character in text:
        escaped = character < " " or character in '"\\' or draw(st.booleans())
        short = ord(character) < 0x10000
        found += f"\\u{ord(character):04x}" if escaped and short else json.dumps(character)[1:-1]
    return f'"{found}"'


VALUES = st.recursive(
    st.integers(-5, 5) | TEXTS | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def doubled(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(doubled, value))
    if isinstance(value, tuple):
        names = [name for name, _ in value]
        return len(set(names)) < len(names) or any(doubled(each) for _, each in value)
    return False


@settings(max_examples=examples(500), deadline=None)
@given(VALUES, st.data())
def test_a_doubled_name_is_refused_and_nothing_else_is(value: Any, data: st.DataObject) -> None:
    raw = written(value, data.draw).encode("utf-8", "surrogatepass")
    if doubled(value):
        with pytest.raises(Refused):
            json_text.parse(raw)
    else:
        json_text.parse(raw)
