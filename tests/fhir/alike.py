"""Two readers of one resource, side by side: ours, and the models of `fhir.resources`.

Walks a resource as JSON and as a model. Wherever the model has a date, a concept, a reference or a
period, ours is asked for the same; what they read differently is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from fhir.resources import get_fhir_model_class as r5_class
from fhir.resources.R4B import get_fhir_model_class as r4b_class
from pydantic import BaseModel

from services.translate.outcome import Review
from services.translate.reading import identifier, tokens
from services.translate.times import moment, start_and_end

BASE = "http://example.org/fhir"
LESS = (4, 7)
"""The lengths of `2025` and `2025-03`."""


def model_of(resource: dict[str, Any], release: str) -> BaseModel:
    """The resource as a model. Raises ValidationError for what is none by its judgement."""
    find = r5_class if release == "R5" else r4b_class
    found: BaseModel = find(resource["resourceType"]).model_validate(resource)
    return found


class Compared:
    """What both read of one resource. `read` counts by kind, `differences` are sentences."""

    def __init__(self) -> None:
        self.read: Counter[str] = Counter()
        self.differences: list[str] = []

    def compare(self, value: Any, model: Any, path: str = "") -> None:
        """Compare a JSON value with what the model has in its place."""
        if isinstance(model, BaseModel) and isinstance(value, dict):
            self._object(value, model, path)
        elif isinstance(model, list) and isinstance(value, list):
            for number, (item, theirs) in enumerate(zip(value, model, strict=True)):
                self.compare(item, theirs, f"{path}[{number}]")
        elif isinstance(model, datetime | date) and isinstance(value, str):
            self._check("date", path, our_date(value), their_date(model))
        elif isinstance(value, str) and path.endswith(("DateTime", ".start", ".end", ".date")):
            self._check("less", path, our_date(value), "less" if len(value) in LESS else value)

    def _object(self, value: dict[str, Any], model: BaseModel, path: str) -> None:
        kind = type(model).__name__
        if kind in ("CodeableConcept", "Coding", "CodeableReference"):
            self._check("concept", path, tokens(value), list(their_tokens(model)))
        elif kind == "Reference":
            self._check("reference", path, value.get("reference"), model.reference)
            named = model.identifier
            if named is not None and named.system and named.value:
                self._check("identifier", path, identifier(value), (named.system, named.value))
        elif kind == "Period":
            ours = start_and_end({"it": value}, "it")[:2]
            self._check(
                "period",
                path,
                [our_date(end) for end in ours if end],
                [their_date(end) for end in (model.start, model.end) if end],
            )  # type: ignore[attr-defined]
        for name, theirs in members(model):
            if name in value:
                self.compare(value[name], theirs, f"{path}.{name}")

    def _check(self, kind: str, path: str, ours: Any, theirs: Any) -> None:
        self.read[kind] += 1
        if ours != theirs:
            self.differences.append(f"{path}: {ours!r} is not {theirs!r}")


def members(model: BaseModel) -> Iterator[tuple[str, Any]]:
    """What a model has, by its names in JSON."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value is not None:
            yield field.alias or name, value


def our_date(value: Any) -> str:
    """What we read: an instant in UTC, a day, `less`, or `none`."""
    try:
        found = moment(value, "it")
    except Review as review:
        return "less" if review.rejection.reason.value == "imprecise-date" else "none"
    return their_date(found.at if found.at is not None else found.on)


def their_date(value: Any) -> str:
    """The same of theirs."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else f"{value} without offset"
    if isinstance(value, date):
        return value.isoformat()
    return "less" if isinstance(value, str) and len(value) in LESS else str(value)


def their_tokens(model: Any) -> Iterator[str]:
    if type(model).__name__ == "CodeableReference":
        model = model.concept
    codings = [model] if type(model).__name__ == "Coding" else getattr(model, "coding", None) or []
    for coding in codings:
        if coding.code:
            yield f"{coding.system or ''}|{coding.code}"
