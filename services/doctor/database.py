"""The database: can it be opened, read, written; is it this release's; is its log whole."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from infra.clock import Clock
from infra.codec import UndecodableEvent, decode_event, utc_text
from infra.eventstore import inspection, open_store
from infra.settings import Settings
from projections.ports import Store
from services.audit.scanning import Moved
from services.doctor.finding import Finding, fail, in_one_line, ok, warn
from services.doctor.integrity import sample, sample_size, scan, told

MIB = 1 << 20
FREE_MIB_MIN = 100
FREE_MIB_GOOD = 1024
SLOW_WRITE_SECONDS = 0.5
CLOCK_WARN_SECONDS = 2
CLOCK_FAIL_SECONDS = 60
EARLIEST_US = 1_735_689_600_000_000
"""2025-01-01: this release did not exist before it."""

RESTORE = (
    "stop writing, keep a copy of the database as it is, and restore the last backup whose"
    " log is whole; events that came since can be sent again, repetitions have no effect"
)

Watch = Callable[[str, int], AbstractContextManager[Moved]]
"""Opens a progress display with a title and the number of steps."""


def examine(settings: Settings, clock: Clock, quick: bool, watch: Watch) -> Iterator[Finding]:
    """All checks of the database; those that need a sound one only where it is."""
    url = settings.database
    schema = _schema(url)
    yield schema
    yield from _disk(url)
    if schema.state != "ok":
        return
    yield _write(url)
    try:
        store = open_store(url)
    except Exception as error:
        yield fail("database", in_one_line(error), "repair the database, or restore a backup")
        return
    try:
        yield from _log(store, url, clock, quick, watch)
    finally:
        store.close()


def _schema(url: str) -> Finding:
    name = "database"
    try:
        found, known = inspection.schema_found(url), inspection.schema_known(url)
    except Exception as error:
        advice = "start the database, or correct CARETALLY_DATABASE"
        return fail(name, f"cannot be opened: {in_one_line(error)}", advice)
    if found == 0:
        return _unused(name, url)
    if found > known:
        advice = "run the newer release, or restore a copy made before the upgrade"
        return fail(name, f"schema version {found}, this release knows up to {known}", advice)
    if found < known:
        advice = "make a backup; the next start of caretally brings it up to date"
        return warn(name, f"schema version {found}, this release has {known}", advice)
    return ok(name, f"opens, schema version {found}")


def _unused(name: str, url: str) -> Finding:
    path = inspection.file_of(url)
    if path is not None and not os.access(path.parent, os.W_OK | os.X_OK):
        advice = "create the folder and let this user write in it, or set CARETALLY_DATABASE"
        return fail(name, f"{path.parent} is no folder in which a database can be made", advice)
    advice = "nothing to do: the first start of caretally sets it up"
    return warn(name, "nothing is stored there yet", advice)


def _disk(url: str) -> Iterator[Finding]:
    path = inspection.file_of(url)
    if path is None or not path.parent.is_dir():
        return
    free = shutil.disk_usage(path.parent).free // MIB
    size = path.stat().st_size // MIB if path.exists() else 0
    said = f"{free:,} MiB free, the database has {size:,} MiB"
    advice = "free some space, or move the database to a larger disk"
    if free < FREE_MIB_MIN:
        yield fail("disk", said, advice)
    elif free < max(FREE_MIB_GOOD, size // 2):
        yield warn("disk", said, advice)
    else:
        yield ok("disk", said)


def _write(url: str) -> Finding:
    began = time.perf_counter()
    try:
        inspection.try_to_write(url)
    except Exception as error:
        advice = "let this user write, look for a full disk or a writer that never ends"
        return fail("write", f"refused: {in_one_line(error)}", advice)
    seconds = time.perf_counter() - began
    if seconds > SLOW_WRITE_SECONDS:
        advice = "look for a slow disk or a long write transaction"
        return warn("write", f"works, after {seconds:.1f} s", advice)
    return ok("write", "works")


def _log(store: Store, url: str, clock: Clock, quick: bool, watch: Watch) -> Iterator[Finding]:
    try:
        yield _clock(store, url, clock)
        yield _integrity(store, url, quick, watch)
    except Exception as error:
        yield fail("log", f"cannot be read: {in_one_line(error)}", RESTORE)


def _clock(store: Store, url: str, clock: Clock) -> Finding:
    """Recording times are evidence: the clock must be right, and never behind what it stamped."""
    advice = "set the clock, and keep it right with NTP"
    now = clock()
    said = f"it is {utc_text(now)}"
    if now < EARLIEST_US:
        return fail("clock", said, advice)
    server, newest = inspection.server_clock_us(url), _newest_us(store)
    apart = abs(now - server) / 1e6 if server is not None else 0.0
    ahead = max(0.0, (newest - now) / 1e6)
    if apart > CLOCK_WARN_SECONDS:
        said += f", {apart:.0f} s from the database server's"
    if ahead > CLOCK_WARN_SECONDS:
        said += f", {ahead:.0f} s before the newest event was recorded"
    if max(apart, ahead) > CLOCK_FAIL_SECONDS:
        return fail("clock", said, advice)
    if max(apart, ahead) > CLOCK_WARN_SECONDS:
        return warn("clock", said, advice)
    return ok("clock", said)


def _newest_us(store: Store) -> int:
    last = store.log(max(0, store.head() - 1), 1)
    try:
        return (decode_event(last[0]).recorded_at_us or 0) if last else 0
    except UndecodableEvent:
        return 0  # the check of the log says so


def _integrity(store: Store, url: str, quick: bool, watch: Watch) -> Finding:
    counts = store.counts()
    steps = sample_size(counts["patients"]) if quick else counts["events"]
    with watch("patients" if quick else "events", steps) as moved:
        found = (sample if quick else scan)(store, moved)
    if found.count:
        return fail("log", told(found), RESTORE)
    lost, idle = (0, 0) if quick else inspection.keys_astray(url)
    if lost or idle:
        said = f"events not known by their source and id: {lost:,}; keys of no event: {idle:,}"
        return fail("log", said, RESTORE)
    part = "sampled" if quick else "whole"
    return ok("log", f"{part}: {found.events:,} events of {found.patients:,} patients examined")
