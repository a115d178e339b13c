"""The resources that come most, finished work and Encounters that say nothing, without detours.

Whatever is not wholly plain, or not new, is left to the full way, which alone complains; so this
says either nothing or exactly what the full way says (a test holds them together).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, Literal, NamedTuple

import msgspec

from infra.codec import canonical_number, sorted_json, stream_id
from projections.ports import TakenResource
from projections.translated import identity_key, resource_key
from services.translate.knowing import Knowing
from services.translate.mapping.work import LOGGED
from services.translate.outcome import Review
from services.translate.parts import Activity
from services.translate.people import PRIMARY, Whose, worker
from services.translate.reading import ID, local_reference, meaning
from services.translate.revising import Known, Stood
from services.translate.site import Site
from services.translate.taking import stream_of
from services.wire.decode import Accepted, decode_plain_entry
from services.wire.limits import MESSAGE_BYTES_MAX, NESTING_DEPTH_MAX

PART: Final = "time"
PERSON: Final = "Practitioner/"


class _Coding(msgspec.Struct, gc=False):
    code: str = ""
    system: str = ""
    coding: None = None
    concept: None = None


class _Concept(msgspec.Struct, gc=False):
    coding: list[_Coding] = []
    code: None = None
    concept: None = None


class _Reference(msgspec.Struct, gc=False):
    reference: str


class _Participant(msgspec.Struct, gc=False):
    individual: _Reference | None = None
    actor: _Reference | None = None
    type: list[_Concept] = []


class _Period(msgspec.Struct, gc=False):
    start: str
    end: str


class _Meta(msgspec.Struct, gc=False):
    lastUpdated: str
    versionId: str = ""


class _Encounter(msgspec.Struct, gc=False, tag_field="resourceType", tag="Encounter"):
    id: str
    meta: _Meta
    status: Literal["finished", "completed", "discharged"]
    patient: _Reference = msgspec.field(name="subject")
    kind: _Coding | list[_Concept] = msgspec.field(name="class", default_factory=list)
    type: list[_Concept] = []
    participant: list[_Participant] = []
    period: _Period | None = None
    actualPeriod: _Period | None = None
    length: None = None
    hospitalization: None = None
    admission: None = None
    verificationStatus: None = None

    @property
    def name(self) -> str:
        return f"Encounter/{self.id}"


class _Task(msgspec.Struct, gc=False, tag_field="resourceType", tag="Task"):
    id: str
    meta: _Meta
    status: Literal["completed"]
    code: _Concept
    owner: _Reference
    executionPeriod: _Period
    patient: _Reference = msgspec.field(name="for")
    subject: None = None
    others: None = msgspec.field(name="patient", default=None)
    verificationStatus: None = None

    @property
    def name(self) -> str:
        return f"Task/{self.id}"


class Plain(NamedTuple):
    """A resource in plain form, with its name and the digest of its content."""

    name: str
    digest: str
    resource: _Encounter | _Task


_typed = msgspec.json.Decoder(_Encounter | _Task).decode
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=canonical_number).decode
_encode = msgspec.json.Encoder().encode


def plain(value: bytes | None) -> Plain | None:
    """The message as a plain resource; None where the full way must look at it."""
    if value is None or len(value) > MESSAGE_BYTES_MAX or b"\\u003" in value:
        return None
    try:
        resource = _typed(value)
        content = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    rest = _encode(content.pop("meta"))
    colons = rest.count(b":") + 1
    if "text" in content:
        colons += _encode(content.pop("text")).count(b":") + 1
    said = sorted_json(content)
    # More colons than are left, none of them escaped: a member came twice.
    if value.count(b":") != colons + said.count(b":"):
        return None
    if value.count(b"{") + value.count(b"[") > NESTING_DEPTH_MAX:
        return None
    if not ID.fullmatch(resource.id) or not ID.fullmatch(resource.meta.versionId or "1"):
        return None
    return Plain(resource.name, hashlib.sha256(said).hexdigest(), resource)


def patient_of(found: Plain, site: Site) -> str:
    """The patient's id on their server, '' where the reference is to nobody there."""
    named = local_reference(found.resource.patient.reference, site.source)
    kind, _, name = named.rpartition("/")
    return name if kind == "Patient" else ""


class Entry(NamedTuple):
    """A time entry that is fit to be stored, and the ledger's row that goes with it."""

    accepted: Accepted
    stream_id: str
    row: TakenResource


def keys_of(found: Plain, site: Site) -> tuple[set[str], set[str]]:
    """The keys of identities and of resources that a plain resource will ask for."""
    identities: set[str] = set()
    if site.patients.subject != "id" and (name := patient_of(found, site)):
        identities.add(identity_key(site.practice, site.patient_system, name))
    return identities, {resource_key(site.source, found.name)}


def entry(found: Plain, site: Site, profile: str, knowing: Knowing, history: bool) -> Entry | None:
    """The time entry of a resource that was never taken before; None where the full way must
    look at it."""
    key = resource_key(site.source, found.name)
    patient = patient_of(found, site)
    if knowing.resource(key) is not None or not patient or not site.is_plain:
        return None
    resource = found.resource
    try:
        told = _of_task(resource, site) if isinstance(resource, _Task) else _of_call(resource, site)
        if site.patients.subject == "id":
            stream = stream_id(site.practice, patient)
        else:
            stream = stream_of(Whose(site.patient_system, patient), "subject", site, knowing)
    except Review:
        return None
    if told is None:
        return None
    activity, who, period = told
    patient = stream.partition("/")[2]
    meta = resource.meta
    id = f"{found.name}/{meta.versionId or found.digest[:12]}/{PART}"
    data = {
        "entry_id": found.name,
        "performer": who,
        "activity": activity.activity,
        "program": activity.program,
        "started_at": period.start,
        "ended_at": period.end,
    }
    document = {
        "specversion": "1.0",
        "id": id,
        "source": site.source,
        "type": LOGGED,
        "practiceid": site.practice,
        "subject": patient,
        "time": meta.lastUpdated,
        "data": data,
    }
    accepted = decode_plain_entry(document, history)
    if accepted is None:
        return None
    stood = Stood(PART, LOGGED, id, hashlib.sha256(accepted.data).hexdigest(), found.name)
    known = Known(
        found.name, meta.lastUpdated, meta.versionId, found.digest, profile, stream, (stood,)
    )
    return Entry(accepted, stream, TakenResource(key, 1, _encode(known)))


Told = tuple[Activity, dict[str, Any], _Period]


def _of_task(task: _Task, site: Site) -> Told | None:
    activity = meaning(site.time.tasks, "code", _tokens([task.code]))
    if activity is None or not local_reference(task.owner.reference, site.source):
        return None
    return activity, worker(task.owner.reference, "owner", site), task.executionPeriod


def _of_call(encounter: _Encounter, site: Site) -> Told | None:
    kind, kinds = encounter.kind, _tokens(encounter.type)
    if isinstance(kind, list):
        kinds += _tokens(kind)
    elif kind.code:
        kinds.append(f"{kind.system}|{kind.code}")
    activity = meaning(site.time.encounters, "type", kinds)
    period = encounter.period or encounter.actualPeriod
    if activity is None or period is None or not _is_time_alone(kinds, site):
        return None
    people = encounter.participant
    if len(people) > 1:
        people = [one for one in people if not PRIMARY.isdisjoint(_tokens(one.type))]
    if len(people) != 1:
        return None
    who = people[0].individual or people[0].actor
    if who is None or not local_reference(who.reference, site.source).startswith(PERSON):
        return None
    return activity, worker(who.reference, "participant", site), period


def _is_time_alone(kinds: list[str], site: Site) -> bool:
    return site.stays.codes.keys().isdisjoint(kinds) and site.visits.codes.keys().isdisjoint(kinds)


def _tokens(concepts: list[_Concept]) -> list[str]:
    return [f"{one.system}|{one.code}" for each in concepts for one in each.coding if one.code]
