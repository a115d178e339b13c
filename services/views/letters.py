"""Dead letters and reviews, page by page, and whose practice each is of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from domain.rejections import FOR_REVIEW
from infra.codec import split_stream_id
from projections.ports import DeadLetter, Store
from services.bootstrap import Parts
from services.dead_letters import PAGE_LETTERS, Wanted
from services.rows.mapping import TableMapping
from services.rows.marks import CHANGE, SHEET
from services.translate.marks import FHIR, HL7V2
from services.translate.site import Site

LETTERS_MAX: Final = 5_000
"""Letters that are looked at for one page."""

_REVIEWS: Final = frozenset(reason.value for reason in FOR_REVIEW)
_HEADERS: Final = ("ce_practiceid", "ce-practiceid")


class _Said(msgspec.Struct, gc=False):
    practiceid: str | None = None


_SAID = msgspec.json.Decoder(_Said)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which letters are asked for; `review` True: those that need a person, a mapping or a fetch,
    False: those that are the sender's fault, None: both."""

    wanted: Wanted
    review: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the id after which the next page begins, None after the last."""

    items: list[DeadLetter]
    next: int | None


def is_review(letter: DeadLetter) -> bool:
    """Whether it says nothing against the sender and waits for somebody here."""
    return letter.reason in _REVIEWS


def practice_of_letter(letter: DeadLetter, parts: Parts) -> str | None:
    """The practice that a letter is of; None where it names none, or two that differ.

    What came through a site profile or a mapping is of the profile's practice; else the event, its
    headers and its key say it. One of none is for people who see every practice.
    """
    for name, value in letter.headers:
        profiles = _profiles(name, parts)
        if profiles is not None:
            return _practice_of(profiles, value.decode("utf-8", "replace"))
    named = {name for name in _named(letter) if name}
    return named.pop() if len(named) == 1 else None


def _profiles(header: str, parts: Parts) -> Mapping[str, Site | TableMapping] | None:
    """What the header's value is a name among; None for a header that names no profile."""
    if header in (FHIR, HL7V2):
        return parts.sites
    return parts.mappings if header in (SHEET, CHANGE) else None


def _practice_of(profiles: Mapping[str, Site | TableMapping], name: str) -> str | None:
    """No name means the only profile there is."""
    if not name and len(profiles) == 1:
        return next(iter(profiles.values())).practice
    found = profiles.get(name)
    return found.practice if found else None


def _named(letter: DeadLetter) -> Iterator[str | None]:
    for name, value in letter.headers:
        if name.lower() in _HEADERS:
            yield value.decode("utf-8", "replace")
    if letter.key and b"/" in letter.key:
        yield split_stream_id(letter.key.decode("utf-8", "replace"))[0]
    try:
        yield _SAID.decode(letter.value or b"{}").practiceid
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return


def letters_page(
    store: Store, chosen: Chosen, sees: Callable[[DeadLetter], bool], after: int, limit: int
) -> Page:
    """At most `limit` letters beyond an id, oldest first; a page may be short and not the last."""
    items: list[DeadLetter] = []
    last = after
    for looked, letter in enumerate(_letters(store, after), 1):
        if _fits(letter, chosen) and sees(letter):
            if len(items) == limit:
                return Page(items, last)
            items.append(letter)
        last = letter.id
        if looked == LETTERS_MAX:
            return Page(items, last)
    return Page(items, None)


def _fits(letter: DeadLetter, chosen: Chosen) -> bool:
    return chosen.wanted.has(letter) and chosen.review in (None, is_review(letter))


def _letters(store: Store, after: int) -> Iterator[DeadLetter]:
    while page := store.dead_letters(after, PAGE_LETTERS):
        yield from page
        after = page[-1].id
