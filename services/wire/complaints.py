"""From a model's validation error to the one rejection a sender can act on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from domain.rejections import Reason, Rejection
from services.wire.refusal import kind, missing, refused, token

_REASONS: Final = {reason.value: reason for reason in Reason}
_QUIET_FIELDS: Final = {"subject", "practiceid"}
"""Who the patient is never shows up in a sentence."""


def rejection_of(error: ValidationError, model: type[BaseModel]) -> Rejection:
    """The first fault, in the order of the contract's members."""
    return _rejection(error.errors(include_url=False, include_context=True)[0], model)


def rejections_of(error: ValidationError, model: type[BaseModel]) -> list[Rejection]:
    """Every fault, in the order of the contract's members."""
    found = error.errors(include_url=False, include_context=True)
    return [_rejection(each, model) for each in found]


def _rejection(fault: ErrorDetails, model: type[BaseModel]) -> Rejection:
    field = ".".join(str(part) for part in fault["loc"])
    expected = _expected(fault, model)
    unset = fault["input"] is None and len(fault["loc"]) == 1
    if fault["type"] == "missing" or unset:  # a null attribute is one that is not there
        return missing(field, expected).rejection
    reason = _REASONS.get(fault["type"], Reason.INVALID_MEMBER)
    return refused(reason, field, expected, _found(fault)).rejection


def _expected(error: ErrorDetails, model: type[BaseModel]) -> str:
    context = error.get("ctx") or {}
    if error["type"] in _REASONS:
        return str(context["expected"])
    if error["type"] == "model_type":
        return "an object"
    return expectation(model, tuple(error["loc"]))


def _found(error: ErrorDetails) -> str:
    """Long or unprintable strings may be anything, notes too: only their measure is told."""
    value = error["input"]
    match error["type"]:
        case "string_too_short":
            return "an empty string" if not value else token(value)
        case "string_too_long":
            return f"{len(value)} characters"
        case "too_long" | "too_short":
            return f"a list of {len(value)}"
        case "string_pattern_mismatch" if not value.isprintable():
            return "control characters in it"
    return kind(value) if error["loc"][-1] in _QUIET_FIELDS else token(value)


@lru_cache(maxsize=4_096)
def expectation(model: type[BaseModel], path: Sequence[str | int]) -> str:
    """What the member at this path should be, in words."""
    info = _member(model, str(path[0]))
    if info is None:
        return "a member of the contract"
    rest = [part for part in path[1:] if not isinstance(part, int)]
    inner = _inner_model(info.annotation)
    if rest and inner is not None:
        return expectation(inner, tuple(rest))
    if len(path) > 1 and inner is not None:
        return "an object"
    return info.description or described(info.annotation) or "an object"


def _member(model: type[BaseModel], name: str) -> FieldInfo | None:
    for field_name, info in model.model_fields.items():
        if name in (field_name, info.alias):
            return info
    return None


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner_model(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)


def described(annotation: Any) -> str | None:
    """The words of a type: its description, or the values that it allows."""
    if get_origin(annotation) is Literal:
        values = [str(value) for value in get_args(annotation)]
        return f"one of {', '.join(values)}"
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, FieldInfo) and part.description:
            return part.description
    parts = (described(part) for part in get_args(annotation))
    return next((words for words in parts if words), None)
