"""The resources that come most, finished work and what is none of ours, to events without detours.

Whatever is not wholly plain, or not new, is left to the full way, which alone complains; so this
says either nothing or exactly what the full way says (a test holds them together). What a site's
codes, people and patients mean is kept: a feed names the same few over and over.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from infra.codec import stream_id, unfrozen
from projections.ports import TakenResource
from projections.translated import identity_key
from services.translate.knowing import Knowing
from services.translate.mapping.work import LOGGED
from services.translate.outcome import Review
from services.translate.parts import Activity
from services.translate.people import PRIMARY, Whose, worker
from services.translate.plain import (
    Participant,
    Period,
    Plain,
    PlainEncounter,
    PlainTask,
    tokens_of,
)
from services.translate.reading import local_reference, meaning
from services.translate.revising import Known, Stood
from services.translate.site import Site
from services.translate.taking import stream_of
from services.wire.decode import Accepted
from services.wire.entries import Told, Worked, time_entry, worked
from services.wire.quick import seconds_at

PART: Final = "time"
PERSON: Final = "Practitioner/"

_UnfrozenRow = unfrozen(TakenResource)
_encode = msgspec.json.Encoder().encode
_NOBODY: Final[frozenset[str]] = frozenset()


class Entry(NamedTuple):
    """A time entry that is fit to be stored, and the ledger's row that goes with it."""

    row: TakenResource
    stream_id: str
    accepted: Accepted


class Nothing(NamedTuple):
    """Nothing of ours, by why, and the ledger's row."""

    row: TakenResource
    why: str


class QuickWay:
    """That of one site; `profile` is a digest of its profile."""

    def __init__(self, site: Site, profile: str) -> None:
        self._site, self._profile = site, profile
        self._activity = lru_cache(maxsize=4096)(self._activity_of)
        self._worked = lru_cache(maxsize=4096)(self._worked_of)
        self._named = lru_cache(maxsize=16_384)(self._patient_of)

    def keys_of(self, found: Plain) -> tuple[set[str] | frozenset[str], set[str]]:
        """The keys of identities and of resources that a plain resource will ask for."""
        site = self._site
        if site.patients.subject == "id":
            return _NOBODY, {found.key}
        name, _ = self._named(found.resource.patient.reference)
        named = {identity_key(site.practice, site.patient_system, name)} if name else _NOBODY
        return named, {found.key}

    @property
    def knows_patients(self) -> bool:
        """Whether whose a resource is can be said without asking."""
        return self._site.patients.subject == "id"

    def take(self, found: Plain, knowing: Knowing | None, history: bool) -> Entry | Nothing | None:
        """What comes of a resource if it was never taken before; None where the full way must look
        at it. `knowing` may be None where patients are known without it."""
        of = found.resource
        recorded = found.recorded, seconds_at(of.meta.lastUpdated, found.recorded)
        if recorded[1] < 0 or not self._site.is_plain:
            return None
        try:
            told = self._of_task(of) if isinstance(of, PlainTask) else self._of_call(of)
            if isinstance(told, str):
                return Nothing(self._row(found, "", ()), told)
            period = (
                of.executionPeriod if isinstance(of, PlainTask) else of.period or of.actualPeriod
            )
            if told is None or period is None or not (stream := self._stream(found, knowing)):
                return None
        except Review:
            return None
        return self._entry(found, recorded, told, period, stream, history)

    def _entry(
        self, found: Plain, time: Told, work: Worked, period: Period, stream: str, history: bool
    ) -> Entry | None:
        started, ended = found.span["start"], found.span["end"]
        start = started, seconds_at(period.start, started)
        end = ended, seconds_at(period.end, ended)
        id = f"{found.name}/{found.resource.meta.versionId or found.digest[:12]}/{PART}"
        site = self._site
        whose, key = (site.practice, stream.partition("/")[2]), (site.source, id)
        accepted = time_entry(whose, key, time, found.name, work, start, end, history)
        if accepted is None:
            return None
        stood = Stood(PART, LOGGED, id, hashlib.sha256(accepted.data).hexdigest(), found.name)
        return Entry(self._row(found, stream, (stood,)), stream, accepted)

    def _row(self, found: Plain, stream: str, stands: tuple[Stood, ...]) -> TakenResource:
        version, profile = found.resource.meta.versionId, self._profile
        known = Known(found.name, found.recorded, version, found.digest, profile, stream, stands)
        row: TakenResource = _UnfrozenRow(found.key, 1, _encode(known))
        row.__class__ = TakenResource
        return row

    def _stream(self, found: Plain, knowing: Knowing | None) -> str:
        """The patient's stream, '' where it is for the full way. Raises `Review`."""
        name, stream = self._named(found.resource.patient.reference)
        if stream or not name or knowing is None:
            return stream
        site = self._site
        return stream_of(Whose(site.patient_system, name), "subject", site, knowing)

    def _patient_of(self, reference: str) -> tuple[str, str]:
        """The patient's id on their server, '' where the reference is to nobody there; and their
        stream, '' where that must be looked up."""
        named = local_reference(reference, self._site.source)
        kind, _, name = named.rpartition("/")
        if kind != "Patient":
            return "", ""
        of_site = self._site.patients.subject == "id"
        return name, stream_id(self._site.practice, name) if of_site else ""

    def _of_task(self, task: PlainTask) -> Worked | str | None:
        """The work it tells, or why it is nothing of ours. Raises `Review`."""
        codes = [f"{one.system}|{one.code}" for one in task.code.coding if one.code]
        activity = meaning(self._site.time.tasks, "code", codes)
        if activity is None:
            return "task-not-mapped"
        if not local_reference(task.owner.reference, self._site.source):
            return None
        return self._worked(task.owner.reference, "owner", activity.activity, activity.program)

    def _of_call(self, encounter: PlainEncounter) -> Worked | str | None:
        """The same of an Encounter."""
        activity = self._activity(bytes(encounter.kind), bytes(encounter.type))
        if not isinstance(activity, Activity):
            return activity
        who = _worker_of(encounter.participant)
        if not local_reference(who, self._site.source).startswith(PERSON):
            return None
        return self._worked(who, "participant", activity.activity, activity.program)

    def _activity_of(self, kind: bytes, type: bytes) -> Activity | str | None:
        """The work that an Encounter's class and types stand for, or why they are nothing of ours.
        Raises `Review`."""
        kinds, site = tokens_of(kind, type), self._site
        if not kinds or not site.stays.codes.keys().isdisjoint(kinds):
            return None
        if not site.visits.codes.keys().isdisjoint(kinds):
            return None
        return meaning(site.time.encounters, "type", [*kinds]) or "encounter-not-mapped"

    def _worked_of(self, reference: str, field: str, activity: str, program: str) -> Worked:
        """Raises `Review`."""
        return worked(worker(reference, field, self._site), activity, program)


def _worker_of(people: list[Participant]) -> str:
    """The reference of the one person who counts, '' where the full way must look for them."""
    if len(people) > 1:
        people = [one for one in people if _is_primary(bytes(one.type))]
    who = people[0].individual or people[0].actor if len(people) == 1 else None
    return "" if who is None else who.reference


@lru_cache(maxsize=4096)
def _is_primary(type: bytes) -> bool:
    return not PRIMARY.isdisjoint(tokens_of(b"", type) or ())
