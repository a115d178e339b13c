"""A practice's patients as their histories make them, and where their alerts stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from domain.patient import Patient
from infra.codec import stream_id
from infra.eventstore.browsing import open_browsing
from infra.snapshots import FORM, DamagedSnapshot
from projections.ports import AlertState, Store
from services.ingest.patients import revive

PATIENTS_A_PAGE: Final = 10_000
PATIENTS_AT_ONCE: Final = 500


def streams(store: Store, practice: str) -> list[str]:
    """The practice's patients, read page by page."""
    browsing, found = open_browsing(store), [""]
    while page := browsing.patients(practice, found[-1], PATIENTS_A_PAGE):
        found += page
    return [stream_id(practice, patient) for patient in found[1:]]


def loaded(store: Store, streams: Sequence[str]) -> Iterator[tuple[Patient, Sequence[AlertState]]]:
    """These patients and where their alerts stand."""
    for first in range(0, len(streams), PATIENTS_AT_ONCE):
        found = store.load(streams[first : first + PATIENTS_AT_ONCE], FORM)
        for stream in found.values():
            try:
                patient = revive(stream).live.patient
            except DamagedSnapshot:  # ingest tells of it, and makes another
                whole = store.load([stream.stream_id])[stream.stream_id]
                patient = revive(whole).live.patient
            yield patient, stream.alerts
