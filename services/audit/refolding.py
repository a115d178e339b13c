"""A whole log folded anew in one process or in several, each with a connection of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from infra.eventstore.bypatient import PatientByPatient, Range
from infra.settings import load_settings
from services.audit.refold import RANGES_A_PROCESS, Refolded, Told, orphans, refold
from services.bootstrap import Parts, calm_collector, composed


def refold_all(parts: Parts, processes: int, told: Told) -> Refolded:
    """Fold everything and compare it. Every patient is seen as of one moment."""
    whole = Refolded(deviations=orphans(parts.store))
    ranges = PatientByPatient(parts.store).ranges(processes * RANGES_A_PROCESS)
    if processes == 1:
        calm_collector()
        for part in ranges:
            whole.add(refold(parts.store, part, parts.book, parts.settings.policy_of, told))
    else:
        for found in _aside(ranges, processes):
            told(found.patients)
            whole.add(found)
    whole.deviations.sort(key=lambda d: (d.stream_id, d.month, d.what, d.alert))
    return whole


def _aside(ranges: list[Range], processes: int) -> Iterator[Refolded]:
    """In processes that read the settings anew, from the same environment."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawned, initializer=calm_collector) as pool:
        works = [pool.submit(_refold_range, part) for part in ranges]
        for work in as_completed(works):
            yield work.result()


def _refold_range(part: Range) -> Refolded:
    with composed(load_settings()) as parts:
        return refold(parts.store, part, parts.book, parts.settings.policy_of)
