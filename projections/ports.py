"""What the rest of the product needs of a store. SQLite and PostgreSQL adapters live in `infra`.

One batch is one transaction: events, consumed position, month assessments, alert transitions and
dead letters become visible together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from projections.letters import DeadLetter as DeadLetter
from projections.letters import LetterAct


class StoredEvent(NamedTuple):
    """One event as it lies in the log.

    `stream_id` is `<practice>/<patient>` (see `infra.codec.stream_id`); `version` counts from 1
    in a stream; `name` is the stable event name; `state` is the encoded envelope; `key` is the
    16-byte global dedupe key of (`source`, `id`); `position` is its place in the whole log,
    ascending in commit order, 0 before it is stored.
    """

    stream_id: str
    version: int
    name: str
    state: bytes
    key: bytes
    position: int = 0


class AssessmentRow(NamedTuple):
    """The current assessment of a patient-month.

    `body` is the canonical JSON object of the assessment without its last member,
    `stream_version`, which a reader takes from the patient's row: one number for all months.
    `version` is the stream version as of which the month was assessed.
    """

    stream_id: str
    practice_id: str
    patient_id: str
    month: str
    status: str
    body: bytes
    version: int = 0


class AlertState(NamedTuple):
    """Where one alert identity stands: its last transition, whether it is raised, and whether it
    was raised without being delivered (`silent`)."""

    alert_id: str
    month: str
    type: str
    code: str
    unit: int
    transition: int
    raised: bool
    silent: bool = False


class TransitionRow(NamedTuple):
    """One alert transition, decided once. `body` is its canonical JSON (the CloudEvent's data).

    `suppressed` is the reason why no sink may hear of it, None for those that are delivered.
    """

    stream_id: str
    practice_id: str
    patient_id: str
    state: AlertState
    recorded_at_us: int
    body: bytes
    position: int = 0
    suppressed: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolledMonths:
    """The months of one enrolment, in its own zone.

    `last_month` is that of the last day in the programme, `FOREVER` while there is none.
    """

    timezone: str
    first_month: str
    last_month: str


FOREVER = "9999-99"


@dataclass(frozen=True, slots=True)
class Link:
    """One standing identity of a patient. `key` stands for practice, system and value; the rest is
    the order of the event that says so."""

    key: str
    time: int
    source: str
    id: str


@dataclass(frozen=True, slots=True)
class TakenResource:
    """What was last taken of one resource of a feed, and which events stand for it.

    `key` stands for feed and resource; `revision` counts from 1: a writer that does not add one to
    what is stored was overtaken by another.
    """

    key: str
    revision: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A patient's history up to and with `version`. A hint, never the truth.

    `form` is a digest of the rules by which it was made: who goes by others has no use for it.
    `parts` are what lies beside `state`, by names that stand for their content: where a snapshot
    takes the place of another, those with None are the other's, and what it does not name goes.
    A loaded one has all that are stored.
    """

    stream_id: str
    version: int
    form: str
    state: bytes
    parts: Mapping[bytes, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectedRow:
    """A row of a projection that crosses patients.

    `table` is the projection's own name for the kind of row, `part` what is read together, `at`
    its order within, `key` the rest of its identity. A `body` of None takes the row away.
    """

    table: str
    generation: int
    part: str
    at: int
    key: str
    body: bytes | None


@dataclass(slots=True)
class Batch:
    """Everything one transaction writes. `tracking` maps a feed's name to its last position."""

    events: list[StoredEvent] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    """New stream version of each patient touched."""
    heads: dict[str, bytes] = field(default_factory=dict)
    """What the last event of each stream that grew hashes to, where the writer knows it."""
    assessments: list[AssessmentRow] = field(default_factory=list)
    removed_months: list[tuple[str, str]] = field(default_factory=list)
    """(stream_id, month) pairs whose assessment no longer has a ground to exist."""
    transitions: list[TransitionRow] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    letter_acts: list[LetterAct] = field(default_factory=list)
    """What people do with letters; `LetterMoved` where one is not as the act expects it."""
    replayed: dict[int, int] = field(default_factory=dict)
    """Dead letters (by id) that this batch takes after all, and when; the first time stays.
    `LetterMoved` where a correction was taken in the place of one."""
    enrolled: dict[str, list[EnrolledMonths]] = field(default_factory=dict)
    """All enrolments of patients of whom one may have changed, in place of earlier ones."""
    links: dict[str, list[Link]] = field(default_factory=dict)
    """All standing identities of patients of whom one may have changed, in place of earlier."""
    resources: list[TakenResource] = field(default_factory=list)
    """Of one resource only the last; `StreamMoved` where another writer was faster."""
    refused_again: dict[int, DeadLetter] = field(default_factory=dict)
    """Dead letters (by id) that wait for something else now: reason, field, sentence, key."""
    snapshots: list[Snapshot] = field(default_factory=list)
    """One a patient at most; each takes the place of an earlier one."""
    projected: list[ProjectedRow] = field(default_factory=list)
    tracking: dict[str, int] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    """Where feeds must stand for this batch to be right; 0 for one that was never read."""
    makings: frozenset[str] = frozenset()
    """What the assessments may lie beside: the making they are of, and the one that the live rows
    were of when their writer began. Empty: anything."""


@dataclass(slots=True)
class StoredStream:
    """A patient's history as loaded: a snapshot (or None), the events after it, alert states."""

    stream_id: str
    snapshot: Snapshot | None
    events: list[StoredEvent]
    alerts: list[AlertState]


class StreamMoved(Exception):
    """Another writer appended to one of the batch's streams first. Nothing was written."""


class KeysTaken(Exception):
    """Some event keys are already in the log under another stream. Nothing was written."""

    def __init__(self, taken: dict[bytes, str]) -> None:
        """`taken` maps each key that is taken to the stream that holds it."""
        super().__init__(f"{len(taken)} event keys already stored")
        self.taken = taken


class PositionPassed(Exception):
    """The batch's feed position is not beyond the stored one: a late or repeated delivery. Or a
    feed does not stand where the batch expects it."""


class ReadModelsMoved(Exception):
    """The live assessments were replaced by others of another making since this writer began.

    Its rows would mix old answers with new ones: it must start again, by the new rules.
    """


class Store(Protocol):
    """The one way to the log and the read models."""

    def commit(self, batch: Batch) -> None:
        """Write the batch in one durable transaction, or raise and write nothing.

        Raises `StreamMoved`, `KeysTaken`, `PositionPassed`, `ReadModelsMoved` or `LetterMoved`;
        anything else is an outage.
        """

    def load(self, stream_ids: Sequence[str], form: str | None = None) -> dict[str, StoredStream]:
        """Histories of these patients; one that is unknown comes back empty.

        A snapshot of this form stands for the events before it; None: every event.
        """

    def tracking(self, name: str) -> int | None:
        """The last stored position of a feed, None when it was never read."""

    def log(self, after: int, limit: int) -> list[StoredEvent]:
        """Events with a position greater than `after`, ascending."""

    def head(self) -> int:
        """The greatest position, 0 when the log is empty."""

    def wait(self, after: int, timeout_seconds: float) -> bool:
        """Block until the log has an event beyond `after`; False when the time runs out."""

    def holders(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """The streams whose events have these keys, by key; keys of no event are left out."""

    def versions(self, stream_ids: Sequence[str] | None = None) -> dict[str, int]:
        """Stream versions by stream id (all of them when None)."""

    def assessments(
        self,
        practice: str | None = None,
        patient: str | None = None,
        month: str | None = None,
        status: str | None = None,
    ) -> Iterator[bytes]:
        """Whole assessments as canonical JSON, by practice, patient, month, in one snapshot."""

    def transitions(self, after: int, limit: int) -> list[TransitionRow]:
        """Alert transitions with a position greater than `after`, ascending."""

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters outside a batch."""

    def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        """Dead letters with an id greater than `after`, ascending."""

    def delivered(self, sink: str) -> int:
        """How far a sink has taken the transitions; 0 at the start."""

    def set_delivered(self, sink: str, position: int) -> None:
        """Move a sink's ledger forward; it never goes back."""

    def counts(self) -> dict[str, int]:
        """Totals for people: patients, events, assessments, transitions, dead_letters."""

    def close(self) -> None:
        """Let go of connections. Idempotent."""
