"""What a provider says of a person, as a name and bounds of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.access_settings import AccessSettings
from infra.accounts import Bounds
from services.access.principal import Role

EVERY_PRACTICE: Final = "*"
NAME_CHARS_MAX: Final = 128


class NoPlaceHere(ValueError):
    """The provider knows the person, and says nothing that lets them in; the message says what
    was expected."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider signed in. `subject` is its own id of them, which it gives nobody else."""

    subject: str
    name: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Reading:
    """Which claims mean what."""

    name: str
    roles: str
    practices: str
    ours: Mapping[str, str]
    """Their names of roles to ours."""

    def missing_from(self, claims: Mapping[str, Any]) -> bool:
        """Whether the provider may have more to say than these claims."""
        wanted = (self.name, self.roles, self.practices)
        return any(_found(claims, path) is None for path in wanted)

    def person(self, claims: Mapping[str, Any]) -> Person:
        """Raises NoPlaceHere."""
        subject = str(claims["sub"])
        said = _found(claims, self.name)
        name = said.strip() if isinstance(said, str) and said.strip() else subject
        if len(name) > NAME_CHARS_MAX or not name.isprintable():
            raise NoPlaceHere(f"expected a name of at most {NAME_CHARS_MAX} printable characters")
        named = _texts(_found(claims, self.roles))
        roles = sorted({self.ours[role] for role in named if role in self.ours})
        if not roles:
            raise NoPlaceHere(f"expected a role of ours in the claim {self.roles!r}")
        practices = _texts(_found(claims, self.practices))
        every = EVERY_PRACTICE in practices
        return Person(
            subject, name, Bounds(tuple(roles), None if every else tuple(sorted(set(practices))))
        )


def reading_of(settings: AccessSettings) -> Reading:
    """As configured. Raises ValueError for roles that are none of ours."""
    ours = {role.value: role.value for role in Role}
    if settings.oidc_roles:
        ours = {}
        for pair in settings.oidc_roles.split(","):
            theirs, equals, role = (part.strip() for part in pair.rpartition("="))
            if not equals or not theirs or role not in set(Role):
                expected = f"THEIR-NAME=ROLE with a role of {', '.join(Role)}"
                raise ValueError(f"oidc_roles: expected {expected}; found {pair.strip()[:60]!r}")
            ours[theirs] = role
    return Reading(
        settings.oidc_name_claim, settings.oidc_roles_claim, settings.oidc_practices_claim, ours
    )


def _found(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this name; where there is none, members of members by the dots in it."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(said: Any) -> list[str]:
    """One text or a list of them; whatever else is none."""
    if isinstance(said, str):
        return [said]
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
