"""What a new version of a resource changes: events that are new, and events that stand no more.

Unchanged events stay. Logged time is amended and voided; every other event is retracted and said
anew, because the contract knows no other correction of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from domain.rejections import Reason
from infra.codec import split_stream_id
from projections.ports import TakenResource
from services.translate.outcome import Draft, Ignore, Review
from services.translate.stamping import AFTER, Stamp, digest_of

LOGGED: Final = "time.logged.v1"
CORRECTED: Final = "changed at the source"

Document = dict[str, Any]


class Stood(msgspec.Struct, frozen=True):
    """An event that stands for a resource. `entry` is the id of a time entry, '' for others, and
    `stream` of whom it is where that is not the resource's own patient."""

    part: str
    type: str
    id: str
    digest: str
    entry: str = ""
    stream: str = ""


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A statement about a thing of an HL7 v2 feed, and the newest message that made it: by its
    time in microseconds since the epoch, then by its control id."""

    at: int
    control: str
    value: str


class Known(msgspec.Struct, frozen=True):
    """The body of a `TakenResource`: whose it is, which version was taken by which profile.

    `state` is what messages told of the thing one by one; empty where a version tells all."""

    name: str
    recorded: str
    version: str
    digest: str
    profile: str
    stream: str = ""
    stands: tuple[Stood, ...] = ()
    state: dict[str, Said] = {}

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.recorded, self.version, self.digest)


_decode = msgspec.json.Decoder(Known).decode
_encode = msgspec.json.Encoder().encode


def known_of(row: TakenResource | None) -> Known | None:
    """What was taken before; None where nothing was."""
    return None if row is None else _decode(row.body)


def again(known: Known | None, stamp: Stamp, profile: str, revision: int) -> str:
    """What event ids of a version end in: nothing, unless it was taken before by another profile.

    Raises `Ignore` for a version that was taken, or that a later one replaced; `Review` for other
    content under the stamp of the version that was taken.
    """
    if known is None or stamp.order > known.stamp.order:
        return ""
    if stamp.order < known.stamp.order:
        raise Ignore("superseded")
    if stamp.digest != known.digest:
        sentence = "expected a later version for other content; found the one that was taken"
        raise Review(Reason.CONFLICTING_DUPLICATE, "meta.versionId", sentence)
    if profile == known.profile:
        raise Ignore("repeated")
    return f"{AFTER}{revision}"


class Revision:
    """What is known of a resource from now on, against what was taken before."""

    def __init__(
        self, source: str, name: str, stamp: Stamp, profile: str, row: TakenResource | None
    ) -> None:
        """`source` is that of the events, `profile` a digest of the site profile."""
        self.known = known_of(row)
        self.stands: tuple[Stood, ...] = () if self.known is None else self.known.stands
        """The events that stood for the resource before."""
        self._source, self._name, self._stamp, self._profile = source, name, stamp, profile
        self.number = 1 if row is None else row.revision + 1
        self._again = ""

    @classmethod
    def of_version(
        cls, source: str, name: str, stamp: Stamp, profile: str, row: TakenResource | None
    ) -> Revision:
        """Of a version that tells all of the resource. Raises as `again`."""
        revision = cls(source, name, stamp, profile, row)
        revision._again = again(revision.known, stamp, profile, revision.number)
        return revision

    @classmethod
    def of_message(
        cls, source: str, name: str, stamp: Stamp, profile: str, row: TakenResource | None
    ) -> Revision:
        """Of a message that tells some of it: its ids have the revision, for what a message
        changes hangs on those that came before."""
        revision = cls(source, name, stamp, profile, row)
        if revision.number > 1:
            revision._again = f"{AFTER}{revision.number}"
        return revision

    def documents(self, stream: str, drafts: Sequence[Draft], why: str) -> list[Document]:
        """CloudEvents of what changed; `stream` is the patient's, `why` says what an event that
        goes is withdrawn for."""
        if not self.stands:
            return [self._say(each, stream) for each in drafts]
        fresh = {draft.part: draft for draft in drafts}
        found: list[Document] = []
        for stood in self.stands:
            if not self._stays(stood, stream, fresh):
                found += self._withdraw(stood, stream, fresh, why)
        kept = {stood.part for stood in self.stands if self._stays(stood, stream, fresh)}
        found += [self._say(draft, stream) for draft in drafts if draft.part not in kept]
        return found

    def row(
        self,
        key: str,
        stream: str,
        drafts: Sequence[Draft],
        state: Mapping[str, Said] | None = None,
    ) -> TakenResource:
        """What is known from now on."""
        fresh = {draft.part: draft for draft in drafts} if self.stands else {}
        stood = {each.part: each for each in self.stands if self._stays(each, stream, fresh)}
        stands = tuple([stood.get(each.part) or self._stood(each) for each in drafts])
        known = Known(
            self._name,
            self._stamp.recorded,
            self._stamp.version,
            self._stamp.digest,
            self._profile,
            stream,
            stands,
            dict(state or {}),
        )
        return TakenResource(key, self.number, _encode(known))

    def _stood(self, draft: Draft) -> Stood:
        digest = digest_of(draft.data)
        id = self._id(draft.part)
        return Stood(draft.part, draft.type, id, digest, _entry(draft), draft.of)

    @property
    def stream(self) -> str:
        """Of the patient whom the resource was taken for before, '' where there is none."""
        return "" if self.known is None else self.known.stream

    def _stays(self, stood: Stood, stream: str, fresh: dict[str, Draft]) -> bool:
        draft = fresh.get(stood.part)
        if draft is None or (draft.type, digest_of(draft.data)) != (stood.type, stood.digest):
            return False
        return (draft.of or stream) == (stood.stream or self.stream)

    def _withdraw(
        self, stood: Stood, stream: str, fresh: dict[str, Draft], why: str
    ) -> Iterator[Document]:
        """A time entry that goes on is amended by its new event: nothing else is needed."""
        if stood.type == LOGGED:
            if stood.part in fresh and stream == self.stream:
                return
            data = {"entry_id": stood.entry, "reason": why}
            yield self._document(f"{stood.part}/void", "time.voided.v1", data, self.stream)
            return
        data = {"event_source": self._source, "event_id": stood.id, "reason": why}
        whose = stood.stream or self.stream
        yield self._document(f"{stood.part}/retract", "event.retracted.v1", data, whose)

    def _say(self, draft: Draft, stream: str) -> Document:
        again = draft.type == LOGGED and stream == self.stream
        if again and any(stood.part == draft.part for stood in self.stands):
            data = {**draft.data, "reason": CORRECTED}
            return self._document(draft.part, "time.amended.v1", data, stream)
        return self._document(draft.part, draft.type, draft.data, draft.of or stream)

    def _document(self, part: str, type: str, data: dict[str, Any], stream: str) -> Document:
        practice, patient = split_stream_id(stream)
        return {
            "specversion": "1.0",
            "id": self._id(part),
            "source": self._source,
            "type": type,
            "practiceid": practice,
            "subject": patient,
            "time": self._stamp.recorded,
            "data": data,
        }

    def _id(self, part: str) -> str:
        return f"{self._name}/{self._stamp.name}/{part}{self._again}"


def _entry(draft: Draft) -> str:
    return str(draft.data.get("entry_id", "")) if draft.type == LOGGED else ""
