"""How an event is refused: one exception, and the one form of its sentence."""

from __future__ import annotations

from typing import Any

from domain.rejections import Reason, Rejection
from services.wire.limits import TOKEN_CHARS_MAX


class Refused(Exception):
    """Leaves the decoder's inner functions with the rejection that the caller gets back."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.sentence)
        self.rejection = rejection


def refused(reason: Reason, field: str, expected: str, found: str) -> Refused:
    """A refusal that says what was expected at `field` and what was found."""
    where = f"{field}: " if field else ""
    return Refused(Rejection(reason, f"{where}expected {expected}; found {found}.", field))


def missing(field: str, expected: str) -> Refused:
    """A refusal of an absent member."""
    sentence = f"{field} is missing; expected {expected}."
    return Refused(Rejection(Reason.MISSING_MEMBER, sentence, field))


def token(value: Any) -> str:
    """An offending JSON value, short: a scalar is quoted and cut, a container only named."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int | float):
        return cut(repr(value)) if not isinstance(value, int) or abs(value) < 10**18 else "a number"
    return kind(value)


def quoted(text: str) -> str:
    """Text in quotes, unprintable characters escaped, cut to the quoting limit."""
    return cut(ascii(text) if not text.isprintable() else f"'{text}'")


def cut(text: str) -> str:
    """Text of at most `TOKEN_CHARS_MAX` characters, an ellipsis in place of the rest."""
    return text if len(text) <= TOKEN_CHARS_MAX else f"{text[: TOKEN_CHARS_MAX - 1]}…"


def kind(value: Any) -> str:
    """What sort of JSON value this is, without a word of its content."""
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else "null"
