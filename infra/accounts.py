"""Who may sign in, who is signed in, and which services hold tokens: the rows and their port.

Nothing secret lies here in the clear: passwords are argon2 hashes, sessions and tokens SHA-256
digests of random texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

ACCOUNT: Final = "account"
OIDC: Final = "oidc"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a principal is bound to: role names, and practices (None: every one)."""

    roles: tuple[str, ...]
    practices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in with a password."""

    name: str
    password: str = field(repr=False)
    """An argon2 hash with its parameters."""
    bounds: Bounds
    added_at_us: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in. `subject` is whose sessions end together.

    `bounds` are those of the moment: of an account as it is now, of a provider as it said when the
    person signed in.
    """

    digest: bytes = field(repr=False)
    way: str
    """`account` or `oidc`."""
    subject: str
    """The account's name, or the provider's id of the person."""
    name: str
    bounds: Bounds
    began_at_us: int
    used_at_us: int
    ends_at_us: int


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """What a feed or a subscriber brings."""

    id: str
    name: str
    digest: bytes = field(repr=False)
    bounds: Bounds
    added_at_us: int
    expires_at_us: int
    used_at_us: int | None = None
    revoked_at_us: int | None = None


class Accounts(Protocol):
    """The rows of one installation. All calls block; what they write is durable when they return.

    They raise what the database's driver raises.
    """

    def add_account(self, account: Account) -> bool:
        """False, and nothing changed, where the name is taken."""

    def account(self, name: str) -> Account | None: ...

    def accounts(self) -> list[Account]:
        """All, by name."""

    def set_bounds(self, name: str, bounds: Bounds) -> bool:
        """Takes effect on open sessions at once. False for an unknown name; so with the next."""

    def set_password(self, name: str, password: str) -> bool:
        """Ends the account's sessions."""

    def set_disabled(self, name: str, disabled: bool) -> bool:
        """Ends the account's sessions."""

    def begin(self, session: Session) -> None:
        """Keep a session, and forget those that had ended when it began."""

    def session(self, digest: bytes) -> Session | None:
        """None also where its account is disabled or gone."""

    def touch(self, digest: bytes, used_at_us: int) -> None:
        """The session was used; never moves back."""

    def end(self, digest: bytes) -> bool:
        """Whether there was one."""

    def end_all(self, way: str, subject: str) -> int:
        """End every session of a person; how many there were."""

    def add_token(self, token: ServiceToken) -> bool:
        """False, and nothing changed, where the id or the name of one not revoked is taken."""

    def tokens(self) -> Sequence[ServiceToken]:
        """All, oldest first."""

    def token(self, digest: bytes) -> ServiceToken | None: ...

    def revoke(self, token_id: str, at_us: int) -> bool:
        """False for an unknown token and one that was revoked before."""

    def token_used(self, token_id: str, at_us: int) -> None:
        """The token was used; never moves back."""
