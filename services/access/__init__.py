"""Who asks, and what they may: principals, roles, and the practices they are bound to."""

from services.access.principal import (
    EVERYBODY_HERE,
    Principal,
    Right,
    Role,
    principal_of,
)

__all__ = ["EVERYBODY_HERE", "Principal", "Right", "Role", "principal_of"]
