"""The order of the checks: settings first, because all others need them."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

from infra.clock import Clock
from infra.eventstore import open_store
from infra.settings import Settings, SettingsError, load_settings, unknown_variables
from infra.zones import zones_version
from services.doctor import access, database
from services.doctor.finding import Finding, State, fail, in_one_line, ok, warn

PROBE_ZONES = ("America/New_York", "US/Pacific", "Pacific/Honolulu", "America/Puerto_Rico")
"""Zones of patients; one is an old name, which trimmed zone data lacks."""


@dataclass(frozen=True, slots=True)
class Examination:
    """A whole examination; findings come as they are found."""

    clock: Clock
    watch: database.Watch
    quick: bool = False
    """Examine a sample of the log instead of all of it."""

    def findings(self) -> Iterator[Finding]:
        for sentence in unknown_variables(os.environ):
            yield warn("settings", sentence, "correct or remove the variable")
        try:
            settings = load_settings()
        except SettingsError as error:
            for line in str(error).splitlines():
                yield fail("settings", line, "correct the setting")
            return
        yield ok("settings", "can be used")
        yield from access.examine(settings)
        yield _zones()
        yield _fees(settings)
        sound = True
        for finding in database.examine(settings, self.clock, self.quick, self.watch):
            sound = sound and (finding.check != "database" or finding.state is State.OK)
            yield finding
        yield from _kafka(settings, sound)


def _zones() -> Finding:
    advice = "install the package tzdata"
    try:
        version = zones_version()
        for name in PROBE_ZONES:
            zoneinfo.ZoneInfo(name)
    except Exception as error:
        return fail("zones", in_one_line(error), advice)
    return ok("zones", f"tzdata {version}")


def _fees(settings: Settings) -> Finding:
    from services.bootstrap import rule_book

    folder = settings.data_folder / "fees"
    try:
        rule_book(settings)
    except Exception as error:
        return fail("fees", in_one_line(error), "import the file again: caretally fees import")
    return ok("fees", f"built in, and imported in {folder}" if folder.is_dir() else "built in")


def _kafka(settings: Settings, sound: bool) -> Iterator[Finding]:
    configured = settings.kafka_settings()
    if configured is None:
        yield ok("kafka", "not configured: events come over HTTP and from files")
        return
    from services.doctor import kafka

    if not sound:
        yield from kafka.examine(configured, lambda _: None)
        return
    store = open_store(settings.database)
    try:
        yield from kafka.examine(configured, store.tracking)
    finally:
        store.close()
