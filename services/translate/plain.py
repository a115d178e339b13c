"""The forms in which finished work comes most, read without detours.

Members that would change the meaning must be absent: `None` as their type says so. Whatever does
not fit is no plain resource, and is left to the full way.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple

import msgspec

from infra.codec import canonical_number, sorted_json
from projections.translated import resource_key
from services.translate.reading import ID
from services.wire.limits import MESSAGE_BYTES_MAX, NESTING_DEPTH_MAX


class Coding(msgspec.Struct, gc=False):
    code: str = ""
    system: str = ""
    coding: None = None
    concept: None = None


class Concept(msgspec.Struct, gc=False):
    coding: list[Coding] = []
    code: None = None
    concept: None = None


class Reference(msgspec.Struct, gc=False):
    reference: str


class Participant(msgspec.Struct, gc=False):
    individual: Reference | None = None
    actor: Reference | None = None
    type: list[Concept] = []


class Period(msgspec.Struct, gc=False):
    start: str
    end: str


class Meta(msgspec.Struct, gc=False):
    lastUpdated: str
    versionId: str = ""


class PlainEncounter(msgspec.Struct, gc=False, tag_field="resourceType", tag="Encounter"):
    id: str
    meta: Meta
    status: Literal["finished", "completed", "discharged"]
    patient: Reference = msgspec.field(name="subject")
    kind: Coding | list[Concept] = msgspec.field(name="class", default_factory=list)
    type: list[Concept] = []
    participant: list[Participant] = []
    period: Period | None = None
    actualPeriod: Period | None = None
    length: None = None
    hospitalization: None = None
    admission: None = None
    verificationStatus: None = None

    @property
    def name(self) -> str:
        return f"Encounter/{self.id}"


class PlainTask(msgspec.Struct, gc=False, tag_field="resourceType", tag="Task"):
    id: str
    meta: Meta
    status: Literal["completed"]
    code: Concept
    owner: Reference
    executionPeriod: Period
    patient: Reference = msgspec.field(name="for")
    subject: None = None
    others: None = msgspec.field(name="patient", default=None)
    verificationStatus: None = None

    @property
    def name(self) -> str:
        return f"Task/{self.id}"


class Plain(NamedTuple):
    """A resource in plain form, with its name and the digest of its content."""

    name: str
    key: str
    digest: str
    resource: PlainEncounter | PlainTask


_typed = msgspec.json.Decoder(PlainEncounter | PlainTask).decode
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=canonical_number).decode
_encode = msgspec.json.Encoder().encode


def plain(value: bytes | None, source: str) -> Plain | None:
    """The message as a plain resource of a server; None where the full way must look at it."""
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
    name = resource.name
    return Plain(name, resource_key(source, name), hashlib.sha256(said).hexdigest(), resource)
