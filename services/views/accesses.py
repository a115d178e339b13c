"""Who read what of whom, page by page, for who may know it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from projections.ports import Store
from services.audit.access import NOT_READS, PATIENT, PRACTICE, Access, Looked, accesses
from services.views.people import is_known

ROWS_MAX: Final = 20_000
"""Reads that are looked at for one page."""


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the number after which the next page begins, None where there is no more now."""

    items: list[Access]
    next: int | None


def concern_of(store: Store, practices: frozenset[str] | None) -> Callable[[Access], bool]:
    """Which entries concern these practices (None: all): reads of theirs, of one of their patients
    whose practice was not named, and of everybody. Who signed in is for those of all practices."""

    def concerns(one: Access) -> bool:
        if practices is None:
            return True
        if one.what in NOT_READS:
            return False
        if PRACTICE in one.wanted:
            return one.wanted[PRACTICE] in practices
        if PATIENT in one.wanted:
            return any(is_known(store, name, one.wanted[PATIENT]) for name in practices)
        return True

    return concerns


def accesses_page(
    store: Store, looked: Looked, concerns: Callable[[Access], bool], after: int, limit: int
) -> Page:
    """At most `limit` reads beyond a number, oldest first; a page may be short and not the last.

    Raises msgspec.DecodeError for an entry that was tampered with.
    """
    items: list[Access] = []
    last = after
    for count, one in enumerate(accesses(store, after), 1):
        if looked.has(one) and concerns(one):
            if len(items) == limit:
                return Page(items, last)
            items.append(one)
        last = one.number
        if count == ROWS_MAX:
            return Page(items, last)
    return Page(items, None)
