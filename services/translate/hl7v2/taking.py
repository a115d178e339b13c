"""One thing of a message to events and to what is known from now on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from domain.rejections import Reason
from infra.codec import split_stream_id, stream_id
from projections.ports import TakenResource
from projections.translated import identity_key, resource_key
from services.translate import stamping
from services.translate.hl7v2.er7 import Message
from services.translate.hl7v2.merging import into_of
from services.translate.hl7v2.people import name_of
from services.translate.hl7v2.state import Stamp, State, merged, newest
from services.translate.hl7v2.things import Thing
from services.translate.hl7v2.times import recorded
from services.translate.knowing import Knowing
from services.translate.outcome import Draft, Ignore, Review
from services.translate.people import Whose
from services.translate.revising import CORRECTED, Known, Revision, Said, known_of
from services.translate.site import Site
from services.translate.taking import Taken

PATIENT = "patient"


class Context(NamedTuple):
    """What all things of a message share; `profile` is a digest of the site profile."""

    site: Site
    profile: str
    stamp: Stamp
    knowing: Knowing

    @property
    def source(self) -> str:
        assert self.site.hl7v2 is not None
        return self.site.hl7v2.source or self.site.source


def stamp_of(message: Message, site: Site) -> Stamp:
    """Which message this is. Raises `Review`."""
    control = message.msh.get(10)
    if not control:
        sentence = "expected the message's control id; it is missing"
        raise Review(Reason.MISSING_MEMBER, "MSH-10", sentence)
    at, at_us = recorded(message.msh.get(7), "MSH-7", site)
    return Stamp.of(at, at_us, name_of(control, "MSH-10"))


def key_of(source: str, name: str) -> str:
    """The ledger's key of a thing; its names are not those of FHIR resources."""
    return resource_key(f"{source}#hl7v2", name)


def take_thing(thing: Thing, context: Context, rows: Mapping[str, TakenResource]) -> Taken:
    """The events of a thing; `rows` is what earlier things of the message took.

    Raises `Review`, and `Ignore` where nothing is to be kept either.
    """
    if isinstance(thing.name, Review):
        _without_a_name(thing, thing.name, context)
    assert isinstance(thing.name, str)
    key = key_of(context.source, thing.name)
    row = rows.get(key) or context.knowing.resource(key)
    known = known_of(row)
    state, late = _merged(thing, context, known)
    newer = newest(state, context.stamp)
    stamp = stamping.Stamp(newer, context.stamp.control, "")
    revision = Revision.of_message(context.source, thing.name, stamp, context.profile, row)
    drafts, why = _drafts(thing, thing.name, State(state), context.site)
    if not drafts and not revision.stands:
        return Taken([], revision.row(key, revision.stream, drafts, state), why)
    stream = _patient(thing, state, context) if drafts else revision.stream
    drafts = [_resolved(draft, thing, state, context, stream) for draft in drafts]
    documents = revision.documents(stream, drafts, why)
    taken = revision.row(key, stream, drafts, state)
    return Taken(documents, taken, "superseded" if late else "unchanged")


def _without_a_name(thing: Thing, review: Review, context: Context) -> None:
    """Raises `Ignore` where nothing of ours would come of it, and `review` where something may."""
    said = {name: Said(0, "", value) for name, value in thing.told.items()}
    thing.drafting(State(said), context.site, "")
    raise review


def _merged(thing: Thing, context: Context, known: Known | None) -> tuple[dict[str, Said], bool]:
    """What is known now, and whether a newer message had told all of it. Raises `Ignore` for a
    message that changes nothing."""
    before: Mapping[str, Said] = known.state if known is not None else {}
    by_now = known is not None and known.profile != context.profile
    told = dict(thing.told)
    if isinstance(thing.patient, Whose):
        told[PATIENT] = "\n".join(thing.patient)
    state = merged(before, told, context.stamp, by_now)
    if not before and told:
        return state, False
    at, control = context.stamp.order
    late = all((said.at, said.control) != (at, control) for said in state.values())
    if known is not None and state == before and not by_now:
        raise Ignore("superseded" if late else "repeated")
    return state, late


def _drafts(thing: Thing, name: str, state: State, site: Site) -> tuple[list[Draft], str]:
    """Drafts, or none and why. Raises `Review`."""
    try:
        return thing.drafting(state, site, name), CORRECTED
    except Ignore as ignored:
        return [], ignored.why


def _patient(thing: Thing, state: Mapping[str, Said], context: Context) -> str:
    """The stream of the patient, by the newest message that names one. Raises `Review`."""
    said = state.get(PATIENT)
    if said is None:
        assert isinstance(thing.patient, Review)
        raise thing.patient
    field = "PID-3" if thing.into is None else "MRG-1"
    return stream_of(Whose(*said.value.split("\n", 1)), field, context)


def stream_of(patient: Whose, field: str, context: Context) -> str:
    """The stream of a patient of theirs. Raises `Review` that waits for the identity."""
    site = context.site
    assert site.hl7v2 is not None
    if site.hl7v2.patient.subject == "id":
        return stream_id(site.practice, patient.value)
    key = identity_key(site.practice, *patient)
    known = context.knowing.patient(key)
    if known is None:
        sentence = "expected a patient who is linked to one of ours; found no link yet"
        raise Review(Reason.UNKNOWN_PATIENT, field, sentence, key)
    return known


def _resolved(
    draft: Draft, thing: Thing, state: Mapping[str, Said], context: Context, stream: str
) -> Draft:
    """The draft with the patient who stays in it, where it is a merge."""
    if thing.into is None:
        return draft
    into = stream_of(into_of(State(state)), "PID-3", context)
    if into == stream:
        sentence = "expected two patients of ours; found that both records are linked to one"
        raise Review(Reason.PATIENT_MERGED, "MRG-1", sentence)
    return replace(draft, data={"into": split_stream_id(into)[1]})


def keys_of(things: Sequence[Thing], site: Site) -> tuple[set[str], set[str]]:
    """The keys of identities and of rows that these things will ask for."""
    assert site.hl7v2 is not None
    source = site.hl7v2.source or site.source
    rows = {key_of(source, thing.name) for thing in things if isinstance(thing.name, str)}
    if site.hl7v2.patient.subject == "id":
        return set(), rows
    people = {p for thing in things for p in (thing.patient, thing.into) if isinstance(p, Whose)}
    return {identity_key(site.practice, *patient) for patient in people}, rows
