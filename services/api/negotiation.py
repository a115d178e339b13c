"""Which of several forms the asker wants (RFC 9110, Accept)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request


def preferred(request: Request, forms: Sequence[str]) -> str:
    """The form with the greatest weight, the earlier where two are equal; the first where none of
    them is wanted: an answer in another form says more than a refusal."""
    lines = ",".join(request.headers.getlist("accept"))
    ranges = [_range(one) for one in lines.split(",") if one.strip()]
    weights = [_weight(form, dict(ranges)) for form in forms]
    return forms[weights.index(max(weights))]


def _range(text: str) -> tuple[str, float]:
    """A media range and its weight; of one that cannot be read, none."""
    kind, *rest = (part.strip() for part in text.split(";"))
    for part in rest:
        if part.startswith("q="):
            try:
                return kind.lower(), float(part[2:])
            except ValueError:
                return kind.lower(), 0.0
    return kind.lower(), 1.0


def _weight(form: str, ranges: dict[str, float]) -> float:
    """By the most specific range that the form fits."""
    for range in (form, f"{form.partition('/')[0]}/*", "*/*"):
        if range in ranges:
            return ranges[range]
    return 0.0
