"""Who asks, and what they may: principals, roles, and the practices they are bound to."""

from services.access.principal import (
    EVERYBODY_HERE,
    NOBODY,
    Principal,
    Right,
    Role,
    principal_of,
)
from services.access.routes import OPEN, SIGNED_IN, needs

__all__ = [
    "EVERYBODY_HERE",
    "NOBODY",
    "OPEN",
    "SIGNED_IN",
    "Principal",
    "Right",
    "Role",
    "needs",
    "principal_of",
]
