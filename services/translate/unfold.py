"""A message to pieces: a bundle's resources one by one, each with its own bytes.

What is taken or refused, kept and put in again, is one resource. A piece that is put in again as
it was kept unfolds to itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from domain.rejections import Reason
from infra.codec import canonical_number
from services.translate.notification import (
    EVENT,
    QUERY_EVENT,
    Notification,
    read_notification,
)
from services.translate.reading import (
    PATIENT_MEMBERS,
    Resource,
    items,
    local_reference,
    obj,
    text,
    uuid_reference,
)
from services.translate.resource import MAPPED
from services.wire import json_text
from services.wire.limits import BUNDLE_BYTES_MAX, MESSAGE_BYTES_MAX
from services.wire.refusal import Refused, kind, refused

_decode = msgspec.json.Decoder(float_hook=canonical_number).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode

BUNDLES: Final = frozenset({"history", "subscription-notification"})
"""Bundle types in which the first resource may be the status of a notification."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One resource, or that one is gone (`deleted`), or that one must be fetched (`fetch`).

    `modified` is when the server says it changed, '' where the resource itself must say it.
    """

    value: bytes
    resource: Resource = field(default_factory=dict)
    deleted: str = ""
    fetch: Mapping[str, Any] | None = None
    modified: str = ""
    patient: str | None = None
    """Whom the bundle's own name for its patient means (`Patient/5`), '' where that has no id yet;
    None where the resource says it by itself."""
    refusal: Refused | None = None

    def of(self, patient: str | None) -> Piece:
        """The piece with its bundle's patient put in the place of the bundle's name for it."""
        if patient is None:
            return self
        told = {"reference": patient}
        names = [name for name in PATIENT_MEMBERS if uuid_reference(self.resource.get(name))]
        return replace(
            self, resource={**self.resource, **dict.fromkeys(names, told)}, patient=patient
        )


@dataclass(slots=True)
class Unfolded:
    """The pieces of a message, and what it says as a notification."""

    pieces: list[Piece]
    notification: Notification | None = None
    status: bytes = b""
    """The bytes of the notification's status."""


def unfold(value: bytes | None, base: str) -> Unfolded:
    """The pieces of a FHIR message; `base` is the server's address. Raises `Refused`."""
    if value is None:
        raise refused(Reason.NOT_FHIR, "", "a FHIR resource", "a message without a value")
    document = json_text.parse(value, bytes_max=BUNDLE_BYTES_MAX, decode=_decode)
    if not isinstance(document, dict):
        raise refused(Reason.NOT_FHIR, "", "a FHIR resource", kind(document))
    name = document.get("resourceType")
    if name == "Bundle":
        return _bundle(value, document, base)
    if name is None and obj(document.get("request")).get("method") == "DELETE":
        return Unfolded([_deleted(value, document, base)])
    if not text(name):
        raise refused(Reason.NOT_FHIR, "resourceType", "the name of a resource", kind(name))
    if len(value) > MESSAGE_BYTES_MAX and name in MAPPED:
        raise json_text.too_large(len(value))
    said = read_notification(document, "")
    if said is not None:
        return _notified(Unfolded([], said, value), base)
    return Unfolded([Piece(value, document)])


def _bundle(value: bytes, document: Resource, base: str) -> Unfolded:
    entries = _entries(value, document)
    said = _status(document, entries)
    if said is None:
        return Unfolded(list(_pieces(entries, base)))
    status = bytes(_members(entries[0][0])["resource"])
    return _notified(Unfolded(list(_pieces(entries[1:], base)), said, status), base)


def _notified(found: Unfolded, base: str) -> Unfolded:
    """With what the notification is about and did not bring."""
    said = found.notification
    assert said is not None
    hint = said.type == EVENT and not said.focus and not found.pieces
    found.notification = replace(said, empty=hint)
    found.pieces += _to_fetch(said, found, base)
    return found


Entries = list[tuple[msgspec.Raw, Any]]
"""Of a bundle: each as its bytes and as its value."""


def _entries(value: bytes, document: Resource) -> Entries:
    entries = document.get("entry")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise refused(Reason.NOT_FHIR, "entry", "an array", kind(entries))
    return list(zip(_list(_members(value)["entry"]), entries, strict=True))


def _status(document: Resource, entries: Entries) -> Notification | None:
    """What a bundle says as a notification, None where it is none."""
    if not entries or text(document.get("type")) not in BUNDLES:
        return None
    return read_notification(obj(obj(entries[0][1]).get("resource")), _time(document))


def _pieces(entries: Entries, base: str, inner: bool = False) -> Iterator[Piece]:
    """`inner` where the bundle is one inside another."""
    names = _own_names([entry for _, entry in entries])
    for raw, entry in entries:
        for piece in _entry(bytes(raw), entry, base, inner):
            yield piece.of(names.get(_names(piece)))


def _own_names(entries: list[Any]) -> dict[str, str]:
    """What a bundle calls its entries by, where that is not the id they have."""
    found: dict[str, str] = {}
    for entry in items(entries):
        name = uuid_reference(entry.get("fullUrl"))
        resource = obj(entry.get("resource"))
        id = text(resource.get("id"))
        if name and id != name:
            found[name] = f"{text(resource.get('resourceType'))}/{id}" if id else ""
    return found


def _names(piece: Piece) -> str:
    """The name of a bundle's own that a piece has for its patient."""
    found = (uuid_reference(piece.resource.get(name)) for name in PATIENT_MEMBERS)
    return next(filter(None, found), "")


def _time(document: Resource) -> str:
    return text(document.get("timestamp"))


def _entry(raw: bytes, entry: Any, base: str, inner: bool) -> Iterator[Piece]:
    if obj(obj(entry).get("request")).get("method") == "DELETE":
        yield _deleted(raw, entry, base)
        return
    resource = obj(entry).get("resource")
    if resource is None and isinstance(entry, dict):
        return  # it only names what the notification is about
    if not isinstance(resource, dict) or not text(resource.get("resourceType")):
        refusal = refused(Reason.NOT_FHIR, "entry.resource", "a FHIR resource", kind(resource))
        yield Piece(raw, refusal=refusal)
        return
    value = bytes(_members(raw)["resource"])
    if resource["resourceType"] == "Bundle":
        yield from _bundle_inside(value, resource, base, inner)
    elif len(value) > MESSAGE_BYTES_MAX and resource["resourceType"] in MAPPED:
        yield Piece(value, refusal=json_text.too_large(len(value)))
    else:
        modified = text(obj(entry.get("response")).get("lastModified"))
        yield Piece(value, resource, modified=modified)


def _bundle_inside(value: bytes, bundle: Resource, base: str, inner: bool) -> Iterator[Piece]:
    """An answer in a batch of answers. A notification must come by itself, to be counted."""
    expected, found = "a resource", "a bundle in a bundle in a bundle"
    if not inner:
        try:
            entries = _entries(value, bundle)
        except Refused as refusal:
            yield Piece(value, refusal=refusal)
            return
        if _status(bundle, entries) is None:
            yield from _pieces(entries, base, inner=True)
            return
        found = "a notification in another message"
    yield Piece(value, refusal=refused(Reason.NOT_FHIR, "entry.resource", expected, found))


def _deleted(raw: bytes, entry: Any, base: str) -> Piece:
    reference = local_reference(obj(entry.get("request")).get("url"), base)
    if not reference:
        found = kind(obj(entry.get("request")).get("url"))
        return Piece(
            raw, refusal=refused(Reason.NOT_FHIR, "request.url", "Type/id of this server", found)
        )
    modified = text(obj(entry.get("response")).get("lastModified"))
    return Piece(raw, deleted=reference, modified=modified)


def _to_fetch(said: Notification, found: Unfolded, base: str) -> list[Piece]:
    if said.type not in (EVENT, QUERY_EVENT):
        return []
    brought = {f"{p.resource.get('resourceType')}/{p.resource.get('id')}" for p in found.pieces}
    brought |= {piece.deleted for piece in found.pieces}
    missing: list[Piece] = []
    for focus in said.focus:
        reference = local_reference(focus, base)
        if not reference:
            expected = "a reference to this server"
            refusal = refused(Reason.NOT_FETCHED, "focus", expected, "one to another")
            missing.append(Piece(found.status, refusal=refusal))
        elif reference not in brought:
            missing.append(Piece(found.status, fetch={"reference": reference}))
    return missing
