"""What a translated feed needs to know: who a foreign identifier is, and what was taken before.

Identities are events (`identity.linked.v1`) of the patient they name; this is their read model.
What was taken of a resource is written with the events that were made of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from domain.facts import IdentityLinked
from domain.patient import Patient
from projections.ports import DeadLetter, Link, TakenResource


class Standing(NamedTuple):
    """Whom an identifier means now: the stream of the patient whose link was said last."""

    stream_id: str
    order: tuple[int, str, str]


@lru_cache(maxsize=16_384)
def identity_key(practice: str, system: str, value: str) -> str:
    """The key of an identifier in a practice; fixed in length, and it names nobody."""
    return f"identity:{_digest(practice, system, value)}"


@lru_cache(maxsize=16_384)
def resource_key(feed: str, name: str) -> str:
    """The key of a resource (`Encounter/5`) of a feed."""
    return _digest(feed, name)


def _digest(*parts: str) -> str:
    text = "\0".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def links(patient: Patient) -> list[Link]:
    """The patient's standing identities, one an identifier, in order of key."""
    found: dict[str, Link] = {}
    for event in sorted(patient.ground, key=lambda event: event.order):
        fact = event.fact
        if isinstance(fact, IdentityLinked) and event.key not in patient.withdrawn:
            key = identity_key(patient.practice_id, fact.system, fact.value)
            found[key] = Link(key, *event.order)
    return [found[key] for key in sorted(found)]


class Translations(Protocol):
    """The read model, and the letters that wait for something. Safe for several threads."""

    def patients(self, keys: Collection[str]) -> Mapping[str, str]:
        """Stream ids by identity key, of those that are known."""

    def resources(self, keys: Collection[str]) -> Mapping[str, TakenResource]:
        """What was taken, by resource key, of those that were ever taken."""

    def released(self, after: int, limit: int) -> list[DeadLetter]:
        """Letters beyond `after` that wait for an identity which is known by now."""

    def waiting(self, for_key: str, after: int, limit: int) -> list[DeadLetter]:
        """Letters beyond `after` that wait for this."""
