"""Rows' bounds and principals: names of roles to roles, practices to practices."""

from __future__ import annotations

from collections.abc import Iterable

from infra.accounts import Bounds
from services.access.principal import Principal, Role


class UnknownRole(ValueError):
    """Not a role; the message names those that are."""


def principal_with(name: str, bounds: Bounds) -> Principal:
    """The principal of a row. Roles that a later release had and this one does not are none."""
    practices = None if bounds.practices is None else frozenset(bounds.practices)
    known = frozenset(Role(role) for role in bounds.roles if role in set(Role))
    return Principal(name, known, practices)


def bounds_of(roles: Iterable[str], practices: Iterable[str], every_practice: bool) -> Bounds:
    """Bounds as somebody wrote them. Raises UnknownRole."""
    named = sorted(set(roles))
    for role in named:
        if role not in set(Role):
            raise UnknownRole(f"expected {', '.join(Role)}; found {role[:60]!r}")
    return Bounds(tuple(named), None if every_practice else tuple(sorted(set(practices))))
