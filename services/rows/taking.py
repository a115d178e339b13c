"""One row against what was taken of it before: new events, corrections, or nothing new.

The ledger of translated feeds keeps of each row what was taken last. A changed row amends, voids
or retracts what stood for it; the same row has no effect, however often it comes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from domain.rejections import Reason
from infra.codec import stream_id
from projections.ports import TakenResource
from projections.translated import identity_key, resource_key
from services.rows.cells import exact, filled, instant
from services.rows.drafting import drafts_of, written
from services.rows.mapping import listed
from services.rows.row import Row, near
from services.rows.targets import LOGGED
from services.translate.knowing import Knowing
from services.translate.outcome import Draft, Ignore, Review
from services.translate.revising import CORRECTED, Known, Revision, known_of
from services.translate.stamping import Stamp, digest_of
from services.translate.taking import Taken
from services.wire.instants import instant_us

DELETED: Final = "deleted"
REPEATED: Final = "repeated"
SUPERSEDED: Final = "superseded"


def take_row(row: Row, profile: str, knowing: Knowing) -> list[Taken]:
    """The events of a row, and after it what it tells of work that may be the same; `profile` is
    a digest of its mapping. Raises `Review` and `Ignore`."""
    name = row.name()
    drafts, why = _drafts(row, name)
    key = resource_key(row.mapping.source, name)
    before = knowing.resource(key)
    known = known_of(before)
    if not drafts and known is None and not row.keeps:
        raise Ignore(why)
    stream = _patient(row, knowing) if drafts else known.stream if known else ""
    stamp = _stamp(row, drafts, known, stream)
    revision = Revision.of_version(row.mapping.source, name, stamp, profile, before)
    documents = revision.documents(stream, drafts, why)
    why = "unchanged" if drafts else why
    taken = [Taken(documents, revision.row(key, stream, drafts), why)]
    if known is None and not row.rows.key:
        taken += [Taken([], each) for each in _not_the_same_work(row, drafts, knowing)]
    return taken


def _drafts(row: Row, name: str) -> tuple[list[Draft], str]:
    """The drafts of a row, or none and why."""
    if row.gone:
        return [], DELETED
    try:
        return drafts_of(row.cells, row.rows, row.mapping, name), CORRECTED
    except Ignore as ignored:
        return [], ignored.why


def _patient(row: Row, knowing: Knowing) -> str:
    """The stream of the patient. Raises `Review` that waits for the identity."""
    column = row.rows.patient.column
    value = exact(filled(row.cells, column), column)
    if row.rows.patient.system is None:
        return stream_id(row.mapping.practice, value)
    key = identity_key(row.mapping.practice, row.rows.patient.system, value)
    found = knowing.patient(key)
    if found is None:
        sentence = "expected a patient who is linked to one of ours; found no link yet"
        raise Review(Reason.UNKNOWN_PATIENT, column, sentence, key)
    return found


def identity_of(row: Row) -> str | None:
    """The key of the identity that a row will ask for."""
    system = row.rows.patient.system
    value = row.cells.get(row.rows.patient.column)
    if system is None or not isinstance(value, str | int):
        return None
    return identity_key(row.mapping.practice, system, str(value).strip())


def _stamp(row: Row, drafts: list[Draft], known: Known | None, stream: str) -> Stamp:
    """Which version of the row this is. Raises `Review` and `Ignore`."""
    content = DELETED if row.gone else row.content
    at = _recorded(row)
    if row.position:
        return _at_position(row, at, content, known)
    if at:
        return _at_time(at, content, known)
    if known is None:
        return Stamp(_when_done(row, drafts), "", content)
    if known.digest == content:
        return known.stamp
    if _says_the_same(drafts, known, stream):
        raise Ignore("unchanged")
    sentence = (
        "the row was taken with other content, and nothing says which is later: say when the "
        "sheet was saved with --exported-at, or map a column under rows.recorded"
    )
    raise Review(Reason.CONFLICTING_DUPLICATE, "", sentence)


def _recorded(row: Row) -> str:
    """When the source recorded the row: what its own column says, else what its door says."""
    recorded = row.rows.recorded
    if recorded is None or row.gone:
        return row.at
    text = filled(row.cells, recorded.column)
    zone = row.mapping.timezone
    return written(instant(text, recorded.column, listed(recorded.instant), zone))


def _at_position(row: Row, at: str, content: str, known: Known | None) -> Stamp:
    """By position, which the source counts; clocks only date what it says. A later version never
    has the earlier time: events are ordered by it."""
    if not at:
        sentence = "expected when the source wrote the change; it is missing"
        raise Review(Reason.NO_RECORDED_TIME, "source.ts_ms", sentence)
    if known is None or not known.version.isdigit():
        return Stamp(at, row.position, content)
    if int(row.position) < int(known.version):
        raise _earlier(row, at, known)
    if int(row.position) == int(known.version):
        return _same(known, content, "source")
    return Stamp(max(at, known.recorded, key=instant_us), row.position, content)


def _earlier(row: Row, at: str, known: Known) -> Ignore | Review:
    """An earlier position has no effect, unless the clock says that it is later: then the source
    counts anew, as after a move to another server."""
    if row.read or instant_us(at) <= instant_us(known.recorded):
        return Ignore(SUPERSEDED)
    sentence = (
        "the change stands before the one that was taken in the source's log, and after it by the "
        "clock: if the database moved to another server, raise generation in the mapping"
    )
    return Review(Reason.AMBIGUOUS, "source", sentence)


def _at_time(at: str, content: str, known: Known | None) -> Stamp:
    version = datetime.fromisoformat(at).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    if known is None:
        return Stamp(at, version, content)
    if instant_us(at) < instant_us(known.recorded):
        raise Ignore(REPEATED if known.digest == content else SUPERSEDED)
    if instant_us(at) == instant_us(known.recorded):
        return _same(known, content, "")
    return Stamp(at, version, content)


def _same(known: Known, content: str, field: str) -> Stamp:
    """The version that was taken, if it has the same content."""
    if known.digest == content:
        return known.stamp
    sentence = "expected a later version for other content; found the one that was taken"
    raise Review(Reason.CONFLICTING_DUPLICATE, field, sentence)


def _says_the_same(drafts: list[Draft], known: Known, stream: str) -> bool:
    said = {(draft.part, draft.type, digest_of(draft.data)) for draft in drafts}
    return stream == known.stream and said == {(s.part, s.type, s.digest) for s in known.stands}


def _when_done(row: Row, drafts: list[Draft]) -> str:
    """Where nobody says when a row was written: when its work ended, or its last day began, for a
    correction of that same day must be later."""
    found = [at for draft in drafts for at in _moments(draft.data, row.mapping.timezone)]
    if not found:
        sentence = (
            "expected when the row was written: map a column under rows.recorded, or say when "
            "the sheet was saved with --exported-at"
        )
        raise Review(Reason.NO_RECORDED_TIME, "", sentence)
    return written(max(found))


def _moments(data: dict[str, Any], zone: str) -> list[datetime]:
    if "ended_at" in data:
        return [datetime.fromisoformat(data["ended_at"])]
    days = [value for value in data.values() if isinstance(value, str) and _is_day(value)]
    first = time(tzinfo=ZoneInfo(zone))
    return [datetime.combine(date.fromisoformat(day), first) for day in days]


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit()


class _Near(msgspec.Struct, frozen=True):
    """The body of a ledger's row for work that may be the same."""

    file: str


def _not_the_same_work(row: Row, drafts: list[Draft], knowing: Knowing) -> list[TakenResource]:
    """Rows without a key: is it new work, or a row that was changed? Raises `Review` where only a
    person can say."""
    if row.rows.without_key == "each":
        return []
    if row.same_as:
        sentence = f"the row is the same as that of line {row.same_as}; expected a key that tells"
        raise Review(Reason.AMBIGUOUS, "", f"{sentence} them apart, or without_key = 'each'")
    found = []
    for draft in drafts:
        if draft.type == LOGGED:
            found += _first_of_its_file(row, near(row, draft.data), knowing)
    return found


def _first_of_its_file(row: Row, name: str, knowing: Knowing) -> list[TakenResource]:
    key = resource_key(row.mapping.source, name)
    known = knowing.resource(key)
    if known is None:
        return [TakenResource(key, 1, msgspec.json.encode(_Near(row.file)))]
    if msgspec.json.decode(known.body, type=_Near).file == row.file:
        return []
    sentence = (
        "an earlier sheet has another row of this patient, person, day and activity; expected a "
        "key that tells whether it is the same work changed, or without_key = 'each'"
    )
    raise Review(Reason.AMBIGUOUS, "", sentence)
