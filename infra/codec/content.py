"""Canonical JSON, and the digest of what an event says: equal content gives equal bytes."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from math import isfinite

import msgspec

_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_ONE_FORM = frozenset({str, int, bool, type(None)})


def canonical_json(obj: object) -> bytes:
    """Equal JSON values give equal bytes: sorted keys, compact, integral floats as integers.

    Raises ValueError for what JSON cannot say: NaN, infinities, lone surrogates, bottomless nests.
    """
    try:
        return _encode_sorted(_canonical(obj) if _has_float(obj) else obj)
    except RecursionError:
        raise ValueError("value is nested too deeply") from None


def sorted_json(obj: object) -> bytes:
    """The same for values whose numbers are all canonical, and so without looking at each.

    Raises as `canonical_json`, and OverflowError for integers of more than 64 bits.
    """
    try:
        return _encode_sorted(obj)
    except RecursionError:
        raise ValueError("value is nested too deeply") from None


def canonical_number(text: str) -> int | float:
    """A number of JSON text in its canonical form. Raises ValueError for what is too large."""
    found = float(text)
    if not isfinite(found):
        raise ValueError("Number out of range")
    return int(found) if found.is_integer() else found


def _has_float(value: object) -> bool:
    """Whether a number in it needs a canonical form; integers and text have only one."""
    if type(value) is dict:
        members: Iterable[object] = value.values()
    elif type(value) is list:
        members = value
    else:
        return type(value) not in _ONE_FORM
    nested = [member for member in members if type(member) not in _ONE_FORM]
    return bool(nested) and any(map(_has_float, nested))


def _canonical(value: object) -> object:
    if isinstance(value, dict):
        return {key: _canonical(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(member) for member in value]
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
        return int(value) if value.is_integer() else value
    return value


def content_digest(
    practice_id: str, patient_id: str, type_name: str, time_text: str, data: bytes
) -> bytes:
    """16 bytes that stand for an event's content; `data` is canonical JSON."""
    a, b, c = practice_id, patient_id, type_name
    # In one piece: this is asked at every event. The parts are those of `digest_of`.
    head = f"{len(a)}:{a}{len(b)}:{b}{len(c)}:{c}{time_text}".encode()
    return blake2b(head + data, digest_size=16).digest()


def content_head(practice_id: str, patient_id: str, type_name: str) -> bytes:
    a, b, c = practice_id, patient_id, type_name
    return f"{len(a)}:{a}{len(b)}:{b}{len(c)}:{c}".encode()


def digest_of(head: bytes, time_text: bytes, data: bytes) -> bytes:
    # An RFC 3339 text holds no brace and the data begins with one: no length is needed between.
    return blake2b(head + time_text + data, digest_size=16).digest()
