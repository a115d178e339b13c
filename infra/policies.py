"""Policies read from settings and from the command line, member by member."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import infra.zones  # noqa: F401  (default_timezone is checked against the pinned release)
from domain.policy import Policy

_HINTS: Mapping[str, Any] = get_type_hints(Policy)
MEMBERS = tuple(field.name for field in fields(Policy))
_RANGES = {"approaching_seconds": (0, 86_400), "at_risk_days": (0, 31)}
_BOOLEANS = {"true": True, "false": False}


class PolicyError(ValueError):
    """A policy member that does not exist or a value it cannot have; says what was expected."""


def policy_from(table: Mapping[str, Any], base: Policy) -> Policy:
    """`base` with the members of a settings table. Raises PolicyError naming the member."""
    changes = {name: _checked(name, value) for name, value in table.items()}
    return replace(base, **changes)


def parse_policy(pairs: Iterable[str], base: Policy) -> Policy:
    """`base` with `KEY=VALUE` pairs: lists comma separated, booleans `true` or `false`.

    Raises PolicyError naming the member and what was expected.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip()
        if not equals:
            raise PolicyError(f"expected KEY=VALUE, found {pair[:60]!r}")
        changes[name] = _checked(name, _value_of(_hint(name), text.strip()))
    return replace(base, **changes)


def expected(name: str) -> str:
    """What a member may be, in words."""
    hint = _hint(name)
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(hint))
    if hint is bool:
        return "true or false"
    if hint is int:
        low, high = _RANGES[name]
        return f"a whole number from {low} to {high}"
    if hint is str:
        return "an IANA time zone such as America/New_York"
    return "a list of activities"


def _hint(name: str) -> Any:
    if name not in _HINTS:
        close = get_close_matches(name, MEMBERS, n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        raise PolicyError(f"{name[:60]!r} is not a policy{meant}; expected one of {_listed()}")
    return _HINTS[name]


def _listed() -> str:
    return ", ".join(MEMBERS)


def _value_of(hint: Any, text: str) -> Any:
    """The value that a text stands for; a text that stands for none is left for the check."""
    if hint is bool:
        return _BOOLEANS.get(text.lower(), text)
    if hint is int:
        return int(text) if text.isascii() and text.isdigit() else text
    if get_origin(hint) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(name: str, value: Any) -> Any:
    hint = _hint(name)
    if get_origin(hint) is tuple and _is_list_of_names(value):
        return tuple(value)
    if get_origin(hint) is Literal:
        fits = isinstance(value, str) and value in get_args(hint)
    elif hint is bool:
        fits = isinstance(value, bool)
    elif hint is int:
        low, high = _RANGES[name]
        fits = type(value) is int and low <= value <= high
    else:
        fits = hint is str and isinstance(value, str) and value in _zones()
    if not fits:
        raise PolicyError(f"{name}: expected {expected(name)}; found {str(value)[:60]!r}")
    return value


def _is_list_of_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
