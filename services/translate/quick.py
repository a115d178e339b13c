"""The resources that come most, finished work and what is none of ours, to events without detours.

Whatever is not wholly plain, or not new, is left to the full way, which alone complains; so this
says either nothing or exactly what the full way says (a test holds them together).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import msgspec

from infra.codec import stream_id
from projections.ports import TakenResource
from projections.translated import identity_key
from services.translate.knowing import Knowing
from services.translate.mapping.work import LOGGED
from services.translate.outcome import Review
from services.translate.parts import Activity
from services.translate.people import PRIMARY, Whose, worker
from services.translate.plain import Concept, Period, Plain, PlainEncounter, PlainTask
from services.translate.reading import local_reference, meaning
from services.translate.revising import Known, Stood
from services.translate.site import Site
from services.translate.taking import stream_of
from services.wire.decode import Accepted
from services.wire.entries import time_entry
from services.wire.instants import instant

PART: Final = "time"
PERSON: Final = "Practitioner/"

_encode = msgspec.json.Encoder().encode


class Entry(NamedTuple):
    """A time entry that is fit to be stored, and the ledger's row that goes with it."""

    row: TakenResource
    stream_id: str
    accepted: Accepted


class Nothing(NamedTuple):
    """Nothing of ours, by why, and the ledger's row."""

    row: TakenResource
    why: str


class Told(NamedTuple):
    """What a resource tells of work, before it is known whose it is."""

    activity: Activity
    who: dict[str, Any]
    period: Period


def keys_of(found: Plain, site: Site) -> tuple[set[str], set[str]]:
    """The keys of identities and of resources that a plain resource will ask for."""
    identities: set[str] = set()
    if site.patients.subject != "id" and (name := _patient_of(found, site)):
        identities.add(identity_key(site.practice, site.patient_system, name))
    return identities, {found.key}


def take(
    found: Plain, site: Site, profile: str, knowing: Knowing, history: bool
) -> Entry | Nothing | None:
    """What comes of a resource that was never taken before; None where the full way must look at
    it."""
    if knowing.resource(found.key) is not None or not site.is_plain:
        return None
    of = found.resource
    try:
        told = _of_task(of, site) if isinstance(of, PlainTask) else _of_call(of, site)
        if isinstance(told, str):
            return _nothing(found, profile, told)
        stream = None if told is None else _stream(found, site, knowing)
    except (Review, ValueError):
        return None
    return _entry(found, site, profile, told, stream, history) if told and stream else None


def _stream(found: Plain, site: Site, knowing: Knowing) -> str | None:
    """The patient's stream. Raises `Review`."""
    name = _patient_of(found, site)
    if site.patients.subject == "id" and name:
        return stream_id(site.practice, name)
    return stream_of(Whose(site.patient_system, name), "subject", site, knowing) if name else None


def _patient_of(found: Plain, site: Site) -> str:
    """The patient's id on their server, '' where the reference is to nobody there."""
    named = local_reference(found.resource.patient.reference, site.source)
    kind, _, name = named.rpartition("/")
    return name if kind == "Patient" else ""


def _nothing(found: Plain, profile: str, why: str) -> Nothing:
    """Raises ValueError where the time of recording is none."""
    instant(found.resource.meta.lastUpdated)
    return Nothing(_row(found, profile, "", ()), why)


def _entry(
    found: Plain, site: Site, profile: str, told: Told, stream: str, history: bool
) -> Entry | None:
    meta = found.resource.meta
    id = f"{found.name}/{meta.versionId or found.digest[:12]}/{PART}"
    data = {
        "entry_id": found.name,
        "performer": told.who,
        "activity": told.activity.activity,
        "program": told.activity.program,
        "started_at": told.period.start,
        "ended_at": told.period.end,
    }
    patient = stream.partition("/")[2]
    accepted = time_entry(site.practice, patient, site.source, id, meta.lastUpdated, data, history)
    if accepted is None:
        return None
    stood = Stood(PART, LOGGED, id, hashlib.sha256(accepted.data).hexdigest(), found.name)
    return Entry(_row(found, profile, stream, (stood,)), stream, accepted)


def _row(found: Plain, profile: str, stream: str, stands: tuple[Stood, ...]) -> TakenResource:
    meta = found.resource.meta
    known = Known(
        found.name, meta.lastUpdated, meta.versionId, found.digest, profile, stream, stands
    )
    return TakenResource(found.key, 1, _encode(known))


def _of_task(task: PlainTask, site: Site) -> Told | str | None:
    """What it tells, or why it is nothing of ours. Raises `Review`."""
    activity = meaning(site.time.tasks, "code", _tokens([task.code]))
    if activity is None:
        return "task-not-mapped"
    if not local_reference(task.owner.reference, site.source):
        return None
    return Told(activity, worker(task.owner.reference, "owner", site), task.executionPeriod)


def _of_call(encounter: PlainEncounter, site: Site) -> Told | str | None:
    """The same of an Encounter."""
    kind, kinds = encounter.kind, _tokens(encounter.type)
    if isinstance(kind, list):
        kinds += _tokens(kind)
    elif kind.code:
        kinds.append(f"{kind.system}|{kind.code}")
    activity = meaning(site.time.encounters, "type", kinds)
    if not kinds or not _is_time_alone(kinds, site):
        return None
    if activity is None:
        return "encounter-not-mapped"
    period, who = encounter.period or encounter.actualPeriod, _worker_of(encounter)
    if period is None or not local_reference(who, site.source).startswith(PERSON):
        return None
    return Told(activity, worker(who, "participant", site), period)


def _worker_of(encounter: PlainEncounter) -> str:
    """The reference of the one person who counts, '' where the full way must look for them."""
    people = encounter.participant
    if len(people) > 1:
        people = [one for one in people if not PRIMARY.isdisjoint(_tokens(one.type))]
    who = people[0].individual or people[0].actor if len(people) == 1 else None
    return "" if who is None else who.reference


def _is_time_alone(kinds: list[str], site: Site) -> bool:
    return site.stays.codes.keys().isdisjoint(kinds) and site.visits.codes.keys().isdisjoint(kinds)


def _tokens(concepts: list[Concept]) -> list[str]:
    return [f"{one.system}|{one.code}" for each in concepts for one in each.coding if one.code]
