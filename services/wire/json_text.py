"""Bytes to JSON values, strictly: RFC 8259 in UTF-8, each member name once in its object.

A doubled name is refused: readers disagree about which one counts, so nobody could say later
what the sender had meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from domain.rejections import Reason
from services.wire.limits import MESSAGE_BYTES_MAX, NESTING_DEPTH_MAX
from services.wire.refusal import Refused, quoted, refused

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def parse(
    raw: bytes,
    field: str = "",
    bytes_max: int = MESSAGE_BYTES_MAX,
    decode: Callable[[bytes], Any] = _decode,
) -> Any:
    """The JSON value of a message. Raises `Refused`: too large, not JSON, doubled names, too deep.

    `field` names what the text is, for rejections: '' for a whole message. `decode` is msgspec's,
    with hooks of the caller's.
    """
    if len(raw) > bytes_max:
        raise too_large(len(raw), field, bytes_max)
    try:
        value = decode(raw)
    except UnicodeDecodeError:
        raise refused(Reason.NOT_JSON, field, "JSON in UTF-8", "other bytes") from None
    except msgspec.DecodeError as error:
        raise refused(Reason.NOT_JSON, field, "one JSON value", _fault(raw, error)) from None
    except RecursionError:
        raise _too_deep(field) from None
    if raw.count(b"{") + raw.count(b"[") > NESTING_DEPTH_MAX and _depth(value) > NESTING_DEPTH_MAX:
        raise _too_deep(field)
    _check_names(raw, value, field)
    return value


def too_large(length: int, field: str = "", bytes_max: int = MESSAGE_BYTES_MAX) -> Refused:
    """The refusal of a message beyond the limit."""
    expected = f"a message of at most {bytes_max} bytes"
    return refused(Reason.TOO_LARGE, field, expected, f"{length} bytes")


def _fault(raw: bytes, error: msgspec.DecodeError) -> str:
    """The parser's own words, which never quote the message."""
    return "an empty message" if not raw.strip() else f"a fault: {error}"


def _too_deep(field: str) -> Refused:
    expected = f"at most {NESTING_DEPTH_MAX} levels of objects and arrays"
    return refused(Reason.INVALID_MEMBER, field, expected, "more")


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in _parts(item)]
        depth += bool(inner)
    return depth


def _parts(item: dict[str, Any] | list[Any]) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item


def _check_names(raw: bytes, value: Any, field: str) -> None:
    """Refuse doubled member names; cheap for text without escaped colons, exact for all.

    Without an escaped colon every colon is a member's or stands in a string as itself, so the text
    has more colons than its decoded value encoded again exactly when members were dropped.
    """
    if b"\\u003" not in raw and raw.count(b":") == _encode(value).count(b":"):
        return
    json.loads(raw, object_pairs_hook=lambda pairs: _named_once(pairs, field), parse_int=str)


def _named_once(pairs: list[tuple[str, Any]], field: str) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise refused(Reason.NOT_JSON, field, "each member name once", f"{quoted(name)} twice")
        names.add(name)
