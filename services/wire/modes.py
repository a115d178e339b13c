"""Which content mode a message is in, by the CloudEvents Kafka binding."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from domain.rejections import Reason
from services.wire.envelope import ATTRIBUTES
from services.wire.refusal import quoted, refused

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PREFIX = "ce_"

HISTORY = "caretally-history"
"""A header that marks a message as history, whatever form it has: it stays with a dead letter."""

_OF_HEADER = {f"{PREFIX}{name}": name for name in ATTRIBUTES if name != "datacontenttype"}
_CONTENT_TYPE = "content-type"


class Mode(Enum):
    """Where the attributes are: inside the value, or in headers beside it."""

    STRUCTURED = "structured"
    BINARY = "binary"


def is_history(headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether the message is marked as history outside of its event."""
    return any(name == HISTORY for name, _ in headers)


def media_type(content_type: str) -> str:
    """The media type in lower case, without its parameters."""
    return content_type.split(";", 1)[0].strip().lower()


def content_mode(headers: Sequence[tuple[str, bytes]]) -> tuple[Mode, dict[str, str]]:
    """The mode, and for binary the attributes that we read.

    Raises `Refused`: a batch, another event format, a needed header that is not UTF-8 or that
    comes twice. Headers we do not need may hold anything.
    """
    attributes: dict[str, str] = {}
    binary = False
    content_type = ""
    for raw_name, raw_value in headers:
        name = raw_name.lower()
        if name == _CONTENT_TYPE:
            content_type = _text(name, raw_value)
        elif name.startswith(PREFIX):
            binary = True
            if name in _OF_HEADER:
                _add(attributes, _OF_HEADER[name], _text(name, raw_value))
    kind = media_type(content_type)
    if kind == STRUCTURED or not (binary or kind.startswith("application/cloudevents")):
        return Mode.STRUCTURED, {}
    if kind == BATCH:
        raise refused(Reason.BATCH_REFUSED, _CONTENT_TYPE, "one event a message", quoted(kind))
    if kind.startswith("application/cloudevents"):
        raise refused(Reason.NOT_CLOUDEVENT, _CONTENT_TYPE, f"'{STRUCTURED}'", quoted(kind))
    if content_type:
        attributes["datacontenttype"] = content_type
    return Mode.BINARY, attributes


def _add(attributes: dict[str, str], name: str, value: str) -> None:
    if name in attributes:
        raise refused(Reason.INVALID_MEMBER, name, "one header", f"{PREFIX}{name} twice")
    attributes[name] = value


def _text(header: str, value: bytes) -> str:
    try:
        return value.decode()
    except (UnicodeDecodeError, AttributeError):
        field = _OF_HEADER.get(header, header)
        raise refused(Reason.INVALID_MEMBER, field, "a header in UTF-8", "other bytes") from None
