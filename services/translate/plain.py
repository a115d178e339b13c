"""The forms in which finished work comes most, read without detours.

Members that would change the meaning must be absent: `None` as their type says so. Whatever does
not fit is no plain resource, and is left to the full way.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from infra.codec import canonical_number, sorted_json
from projections.translated import resource_key
from services.translate.reading import ID
from services.wire.limits import MESSAGE_BYTES_MAX, NESTING_DEPTH_MAX

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


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
    type: msgspec.Raw = msgspec.Raw()


class Period(msgspec.Struct, gc=False):
    start: Instant
    end: Instant


class Meta(msgspec.Struct, gc=False):
    lastUpdated: Instant
    versionId: str = ""


class PlainEncounter(msgspec.Struct, gc=False, tag_field="resourceType", tag="Encounter"):
    id: str
    meta: Meta
    status: Literal["finished", "completed", "discharged"]
    patient: Reference = msgspec.field(name="subject")
    kind: msgspec.Raw = msgspec.field(name="class", default=msgspec.Raw())
    type: msgspec.Raw = msgspec.Raw()
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

    @property
    def when(self) -> str:
        """The member that says when it was."""
        return "actualPeriod" if self.period is None else "period"


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

    @property
    def when(self) -> str:
        """The member that says when it was done."""
        return "executionPeriod"


class Plain(NamedTuple):
    """A resource in plain form, with its name and the digest of its content; `recorded` is when its
    version was, and `span` both ends of what it tells, as they were written."""

    name: str
    key: str
    digest: str
    resource: PlainEncounter | PlainTask
    recorded: str
    span: dict[str, str]


@lru_cache(maxsize=4096)
def tokens_of(kind: bytes, type: bytes) -> tuple[str, ...] | None:
    """`system|code` of a class and of types, as they were written; None where they are not plain.

    Kept: an EHR has few of them, and writes each in one way."""
    try:
        found = _concepts(type) if type else []
        said = _kind(kind) if kind else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    alone = [said] if isinstance(said, Coding) else []
    concepts = found if isinstance(said, Coding) else [*found, *said]
    codings = [coding for each in concepts for coding in each.coding] + alone
    return tuple(f"{each.system}|{each.code}" for each in codings if each.code)


_key = resource_key.__wrapped__  # most of them come once
_is_id = ID.fullmatch
_NO_SPAN: dict[str, str] = {}
_typed = msgspec.json.Decoder(PlainEncounter | PlainTask).decode
_concepts = msgspec.json.Decoder(list[Concept]).decode
_kind = msgspec.json.Decoder(Coding | list[Concept]).decode
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=canonical_number).decode
_encode = msgspec.json.Encoder().encode


def plain(value: bytes | None, source: str) -> Plain | None:
    """The message as a plain resource of a server; None where the full way must look at it."""
    if value is None or len(value) > MESSAGE_BYTES_MAX:
        return None
    if b"\\" in value and b"\\u003" in value:
        return None
    try:
        resource = _typed(value)
        content = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    meta = content.pop("meta")
    rest = _encode(meta)
    colons = rest.count(b":") + 1
    if "text" in content:
        colons += _encode(content.pop("text")).count(b":") + 1
    said = sorted_json(content)
    # More colons than are left, none of them escaped: a member came twice.
    if value.count(b":") != colons + said.count(b":"):
        return None
    if value.count(b"{") + value.count(b"[") > NESTING_DEPTH_MAX:
        return None
    if not _is_id(resource.id) or not _is_id(resource.meta.versionId or "1"):
        return None
    name = resource.name
    digest = hashlib.sha256(said).hexdigest()
    span = content.get(resource.when, _NO_SPAN)
    return Plain(name, _key(source, name), digest, resource, meta["lastUpdated"], span)
