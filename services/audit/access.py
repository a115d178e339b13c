"""Reads of patients as facts: who, what, when, why. Written before anything is shown.

A read that cannot be written down does not take place. One that looks at many patients is one
fact, with the filter by which they were chosen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from infra.clock import Clock
from infra.codec import instant_text
from infra.eventstore.accesses import AccessLog
from projections.ports import Store
from services.wire.instants import instant_us

COMMAND: Final = "command"
HTTP: Final = "http"

PRACTICE, PATIENT = "practice", "patient"

SIGN_IN: Final = "sign-in"
SIGN_IN_REFUSED: Final = "sign-in refused"
SIGN_OUT: Final = "sign-out"
REFUSED: Final = "request refused"
ACCOUNT_CHANGED: Final = "account changed"
TOKEN_CHANGED: Final = "token changed"
NOT_READS: Final = frozenset(
    {SIGN_IN, SIGN_IN_REFUSED, SIGN_OUT, REFUSED, ACCOUNT_CHANGED, TOKEN_CHANGED}
)
"""Entries about who may read; their `wanted` says about whom, and why not."""


class Access(msgspec.Struct, frozen=True):
    """One read. `wanted` is the filter: what was asked for by name, nothing where all was.

    `actor` is who asks, as said by themselves or by the settings; `user` whom the operating system
    or the door knows. `reason` is why, empty where nobody said.
    """

    number: int
    at: str
    door: str
    what: str
    actor: str
    user: str
    wanted: dict[str, str]
    reason: str = ""

    @property
    def is_of_one_patient(self) -> bool:
        return PATIENT in self.wanted

    def concerns(self, practice: str | None, patient: str | None) -> bool:
        """Whether it may have shown this patient (of this practice); a panel shows all of its."""
        if self.what in NOT_READS and (practice is not None or patient is not None):
            return False
        asked = ((PRACTICE, practice), (PATIENT, patient))
        return all(value is None or self.wanted.get(name, value) == value for name, value in asked)


_decode = msgspec.json.Decoder(Access).decode
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, through which door, and why."""

    door: str
    user: str
    actor: str = ""
    reason: str = ""


def record(
    store: Store, clock: Clock, reader: Reader, what: str, wanted: Mapping[str, str | None]
) -> Access:
    """Append the fact, durably. Raises whatever the database's driver raises: then nothing may be
    shown."""

    def body_of(number: int) -> bytes:
        made = Access(
            number=number,
            at=instant_text(clock()),
            door=reader.door,
            what=what,
            actor=reader.actor or reader.user,
            user=reader.user,
            wanted={name: value for name, value in wanted.items() if value is not None},
            reason=reader.reason,
        )
        return _encode(made)

    return _decode(AccessLog(store).append(body_of).body)


def accesses(store: Store, after: int = 0) -> Iterator[Access]:
    """Every read with a number beyond `after`, oldest first. Raises msgspec.DecodeError for an
    entry that was tampered with."""
    return (_decode(row.body) for row in AccessLog(store).rows(after))


@dataclass(frozen=True, slots=True)
class Looked:
    """Which reads are asked for; None is any. `by` is an actor or user; `first_us` and `last_us`
    are instants in microseconds since the epoch, both included."""

    practice: str | None = None
    patient: str | None = None
    by: str | None = None
    first_us: int | None = None
    last_us: int | None = None

    def has(self, one: Access) -> bool:
        at = instant_us(one.at)
        return (
            (self.first_us is None or at >= self.first_us)
            and (self.last_us is None or at <= self.last_us)
            and (self.by is None or self.by in (one.actor, one.user))
            and one.concerns(self.practice, self.patient)
        )


def system_user() -> str:
    """Whom the operating system takes this process's user for; the environment has no say."""
    if os.name != "posix":
        from getpass import getuser

        return getuser()
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
