"""Whom there is: patients by practice, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from infra.codec import stream_id
from infra.eventstore.browsing import open_browsing
from projections.ports import Store

PAGE: Final = 500


class Person(NamedTuple):
    """A patient of a practice, by opaque ids."""

    practice_id: str
    patient_id: str


def practices_seen(store: Store, practices: Collection[str] | None) -> list[str]:
    """The practices that have a patient, as far as these may be seen (None: all), in order."""
    found = open_browsing(store).practices()
    return found if practices is None else [name for name in found if name in practices]


def is_known(store: Store, practice: str, patient: str) -> bool:
    """Whether anything was ever stored of the patient."""
    return bool(store.versions([stream_id(practice, patient)]))


def people(
    store: Store,
    practices: Collection[str] | None,
    patient: str | None = None,
    begin: Person | None = None,
) -> Iterator[Person]:
    """Patients of these practices (None: of all) by practice and id, from `begin` on."""
    for practice in practices_seen(store, practices):
        if begin is not None and practice < begin.practice_id:
            continue
        begun = begin.patient_id if begin and begin.practice_id == practice else ""
        if patient is not None:
            if patient >= begun and is_known(store, practice, patient):
                yield Person(practice, patient)
            continue
        if begun:
            yield Person(practice, begun)
        yield from _beyond(store, practice, begun)


def _beyond(store: Store, practice: str, after: str) -> Iterator[Person]:
    browsing = open_browsing(store)
    while page := browsing.patients(practice, after, PAGE):
        yield from (Person(practice, patient) for patient in page)
        after = page[-1]
