"""What a message tells: things of the ledger, each with statements, and how they become drafts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from services.translate.hl7v2.segments import Segment
from services.translate.hl7v2.state import State
from services.translate.outcome import Draft, Review
from services.translate.people import Whose
from services.translate.site import Site

Drafting = Callable[[State, Site, str], list[Draft]]
"""Drafts of what is known of a thing; the text is its name. Raises `Review` and `Ignore`."""


class Thing(NamedTuple):
    """One thing that a message tells of.

    `name` is what the ledger has it under, `patient` whose it is: a `Review` in their place is
    raised as soon as it matters, which it does not where nothing of ours comes of the thing.
    """

    name: str | Review
    patient: Whose | Review
    told: dict[str, str]
    drafting: Drafting
    into: Whose | None = None
    """The patient whom a merge names as the one who stays."""


def named(kind: str, naming: Callable[[], str], missing: Review) -> str | Review:
    """`kind/id`; the `Review` that naming raises, or the one given where there is no id."""
    try:
        id = naming()
    except Review as review:
        return review
    return f"{kind}/{id}" if id else missing


def or_review(naming: Callable[[], Whose]) -> Whose | Review:
    """The patient, or why nobody can say who it is."""
    try:
        return naming()
    except Review as review:
        return review


def hidden(patient: Whose) -> str:
    """A patient in the name of a thing: names become ids of events, which anybody may see."""
    return hashlib.sha256("\0".join(patient).encode("utf-8", "replace")).hexdigest()[:16]


def tell(told: dict[str, str], name: str, raw: str) -> None:
    """Note a statement, where the message makes it: an empty field says nothing."""
    if raw:
        told[name] = raw


@lru_cache(maxsize=4096)
def _parsed(token: str) -> tuple[str, int, int, str]:
    """Segment, field, component and value of `PV1-2.1|I`."""
    place, _, value = token.partition("|")
    segment, _, number = place.partition("-")
    field, _, component = number.partition(".")
    return segment, int(field), int(component or 1), value


def fit(table: Iterable[str], segments: Mapping[str, Segment]) -> str | None:
    """The first of these values that the segments have; '' where they have others, and None where
    no field of the table has any value."""
    valued = False
    for token in table:
        name, field, component, value = _parsed(token)
        segment = segments.get(name)
        for repetition in segment.repetitions(field) if segment is not None else ():
            found = segment.component(repetition, component) if segment is not None else ""
            if found == value:
                return token
            valued = valued or bool(found)
    return "" if valued else None
