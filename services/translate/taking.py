"""One piece to events and to what is known from now on. Pure but for what `Knowing` looks up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

from domain.rejections import Reason
from infra.codec import split_stream_id, stream_id
from projections.ports import TakenResource
from projections.translated import identity_key, resource_key
from services.translate.knowing import Knowing
from services.translate.mapping.chart import MERGED, patient_identity
from services.translate.outcome import Draft, Ignore, NotOurs, Review
from services.translate.people import Whose, patient_system, whose
from services.translate.reading import ID, text
from services.translate.resource import ENTERED_IN_ERROR, drafts_of
from services.translate.revising import CORRECTED, Revision, known_of
from services.translate.site import Site
from services.translate.stamping import AFTER, Stamp, stamp
from services.translate.times import recorded_text
from services.translate.unfold import Piece

FETCH_KEY: Final = "fetch:"
"""Letters wait for `fetch:SITE` where the site's server must be asked."""

DELETED: Final = "deleted"


class Taken(NamedTuple):
    """CloudEvents, and the ledger's row that goes with them."""

    documents: list[dict[str, Any]]
    row: TakenResource
    why: str = "unchanged"
    """Why there are no events, where there are none."""


def take_resource(piece: Piece, site: Site, profile: str, knowing: Knowing) -> Taken:
    """The events of a resource. Raises `Review` and `Ignore`."""
    drafts, why = _drafts(piece, site)
    matters = bool(drafts) or why == ENTERED_IN_ERROR
    row = None
    try:
        name = _name(piece)
        key = resource_key(site.source, name)
        row = knowing.resource(key)
        version = stamp(piece.resource, piece.modified, site)
    except Review:
        if matters or row is not None:
            raise
        raise Ignore(why) from None
    revision = Revision.of_version(site.source, name, version, profile, row)
    if not drafts and not revision.stands:
        return Taken([], revision.row(key, revision.stream, drafts), why)
    stream = _patient(piece, site, knowing) if drafts else revision.stream
    drafts = [_resolved(draft, site, knowing, stream) for draft in drafts]
    documents = revision.documents(stream, drafts, why)
    return Taken(documents, revision.row(key, stream, drafts))


def _resolved(draft: Draft, site: Site, knowing: Knowing, stream: str) -> Draft:
    """The draft of a merge with our id of the patient who stays, and with the stream of the one
    who ended, where that is another than the resource's own. Raises `Review`."""
    if draft.type != MERGED:
        return draft
    other = Whose(patient_system(site), draft.of or draft.data["into"])
    theirs = stream_of(other, "link.other", site, knowing)
    if theirs == stream:
        sentence = "expected another patient of ours; found that both records are linked to one"
        raise Review(Reason.PATIENT_MERGED, "link.other", sentence)
    into = stream if draft.of else theirs
    ended = theirs if draft.of else ""
    return replace(draft, data={"into": split_stream_id(into)[1]}, of=ended)


def _drafts(piece: Piece, site: Site) -> tuple[list[Draft], str]:
    """Drafts, or none and why. Raises `NotOurs` for kinds that never hold any, and `Review`."""
    try:
        return drafts_of(piece.resource, site), CORRECTED
    except NotOurs:
        raise
    except Ignore as ignored:
        return [], ignored.why


def _name(piece: Piece) -> str:
    name = text(piece.resource.get("id"))
    if not ID.fullmatch(name):
        raise Review(Reason.MISSING_MEMBER, "id", "expected the resource's id; found none")
    return f"{piece.resource['resourceType']}/{name}"


def take_identity(piece: Piece, site: Site, profile: str, knowing: Knowing) -> Taken:
    """The link of a Patient resource, where the profile has an identifier for it."""
    patient, drafts = patient_identity(piece.resource, site)
    name = _name(piece)
    key = resource_key(site.source, f"{name}#identity")
    version = stamp(piece.resource, piece.modified, site)
    revision = Revision.of_version(site.source, name, version, profile, knowing.resource(key))
    stream = stream_id(site.practice, patient)
    return Taken(revision.documents(stream, drafts, CORRECTED), revision.row(key, stream, drafts))


def take_deletion(piece: Piece, site: Site, profile: str, knowing: Knowing) -> Taken:
    """A resource is gone: nothing that it said stands."""
    key = resource_key(site.source, piece.deleted)
    row = knowing.resource(key)
    known = known_of(row)
    if piece.modified:
        at = recorded_text(piece.modified, "response.lastModified")
        version = Stamp(at, "", DELETED)
    elif known is not None:
        if known.digest == DELETED:
            raise Ignore("repeated")
        version = Stamp(known.recorded, f"{known.version}{AFTER}{DELETED}", DELETED)
    else:
        raise Ignore("deleted-unknown")
    revision = Revision.of_version(site.source, piece.deleted, version, profile, row)
    documents = revision.documents(revision.stream, [], DELETED)
    return Taken(documents, revision.row(key, revision.stream, []))


def _patient(piece: Piece, site: Site, knowing: Knowing) -> str:
    """The stream of the patient. Raises `Review` that waits for the identity."""
    return stream_of(whose(piece.resource, site), "subject", site, knowing)


def stream_of(named: Whose, field: str, site: Site, knowing: Knowing) -> str:
    """The stream of a patient of theirs. Raises `Review` that waits for the identity."""
    theirs = Whose(patient_system(site), named.value) == named
    if site.patients.subject == "id" and theirs:
        return stream_id(site.practice, named.value)
    if site.patients.subject == "identifier" and named.system == site.patients.system:
        return stream_id(site.practice, named.value)
    key = identity_key(site.practice, *named)
    known = knowing.patient(key)
    if known is None:
        sentence = "expected a patient who is linked to one of ours; found no link yet"
        raise Review(Reason.UNKNOWN_PATIENT, field, sentence, key)
    return known
