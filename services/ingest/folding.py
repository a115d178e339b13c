"""One attempt at a batch: its events folded into their patients, and the rows that follow."""

from __future__ import annotations

from collections.abc import Callable

from domain.facts import (
    EventRetracted,
    Fact,
    IdentityLinked,
    Month,
    PatientDisenrolled,
    PatientEnrolled,
    PatientMerged,
)
from domain.merging import CARRIED_SOURCE, circle, merged_into
from domain.patient import Accepted as New
from domain.patient import Duplicate, conflicting_duplicate, decide
from domain.policy import Policy
from domain.rejections import Rejection
from domain.rules import RuleBook
from infra.answers import assessment_row, transition_row
from infra.codec import encode_state, event_key, link, stream_id
from projections.boundaries import Passed
from projections.enrolled import enrolled_months
from projections.live import MICROSECONDS
from projections.ports import Batch, StoredEvent
from projections.translated import links
from services.ingest.merging import Past, carry_over, not_a_senders
from services.ingest.patients import HotPatient
from services.ingest.ticks import tick
from services.wire.decode import Accepted

_ENROLMENT = frozenset({PatientEnrolled, PatientDisenrolled, PatientMerged, EventRetracted})
"""Facts that may change when a patient is enrolled."""


_IDENTITY = frozenset({IdentityLinked, EventRetracted})
"""Facts that may change whom an identifier means."""


_MERGE = frozenset({PatientMerged, EventRetracted})
"""Facts that may change whom a patient is merged into."""


_NOTED = _ENROLMENT | _IDENTITY


class Folding:
    """Collects what one transaction will write. Patients are changed as it goes: if the
    transaction fails they must be forgotten."""

    def __init__(
        self,
        patients: dict[str, HotPatient],
        book: RuleBook,
        policy_of: Callable[[str], Policy],
        recorded_at_us: int,
        results: list[Rejection | None],
        past: Past | None = None,
    ) -> None:
        """`past` reads what else is needed where records were merged."""
        self._patients = patients
        self._past = past
        self._book = book
        self._policy_of = policy_of
        self._recorded_at_us = recorded_at_us
        self._touched: dict[str, set[Month]] = {}
        self._enrolments: set[str] = set()
        self._identities: set[str] = set()
        self._remerged: set[str] = set()
        """Patients of whom something was said that may change whom they are merged into."""
        self._streams: dict[bytes, str] = {}
        self._instants: dict[str, int] = {}
        """When this batch is recorded of each patient, in microseconds since the epoch."""
        self.results = results
        self.batch = Batch()
        self.accepted = 0
        self.duplicates = 0

    def take(self, index: int, accepted: Accepted, stream: str, key: bytes) -> None:
        """Decide on one event and fold it if it is new."""
        hot = self._patients[stream]
        decision = decide(hot.live.patient, accepted.event)
        if accepted.event.source == CARRIED_SOURCE:
            self.results[index] = not_a_senders()
        elif isinstance(decision, Duplicate):
            self.duplicates += 1
        elif not isinstance(decision, New):
            self.results[index] = decision.rejection
        elif self._streams.setdefault(key, stream) != stream:
            self.results[index] = conflicting_duplicate()
        elif type(accepted.event.fact) not in _MERGE:
            self._append(hot, accepted, stream, key)
        elif (refusal := self._circle(hot, accepted)) is not None:
            self.results[index] = refusal
        else:
            self._append(hot, accepted, stream, key)
            self._remerged.add(stream)

    def tick(self, stream_id: str, passed: Passed) -> None:
        """Append a tick if the passed boundary changes an alert of this patient."""
        hot = self._patients[stream_id]
        patient = hot.live.patient
        policy = self._policy_of(patient.practice_id)
        now = self._instant(stream_id, hot) // MICROSECONDS
        if hot.live.would_change(passed.month, now, self._book, policy):
            accepted = tick(patient, passed)
            self._append(hot, accepted, stream_id, event_key(*accepted.event.key))

    def note_enrolments(self, stream_id: str) -> None:
        """Write the patient's enrolments though no event changed them."""
        self._enrolments.add(stream_id)
        self.batch.versions[stream_id] = self._patients[stream_id].live.patient.version

    def finish(self) -> None:
        """Assess every month touched, once, as of the batch's last event, and keep a snapshot of
        each history that has grown enough; first carry over what merged records owe."""
        merged = [s for s in self._touched if self._patients[s].live.patient.merges]
        if merged:
            carry_over(self, merged, self._remerged)
        for stream, months in self._touched.items():
            hot = self._patients[stream]
            live = hot.live
            self.batch.versions[stream] = live.patient.version
            if hot.previous is not None:
                self.batch.heads[stream] = hot.previous
            policy = self._policy_of(live.patient.practice_id)
            for month in sorted(months):
                answer = live.answer(month, self._book, policy)
                if answer is None:
                    self.batch.removed_months.append((stream, month))
                else:
                    self.batch.assessments.append(assessment_row(stream, answer))
            kept = hot.snapshot_if_due(stream)
            if kept is not None:
                self.batch.snapshots.append(kept)
        for stream in self._enrolments:
            patient = self._patients[stream].live.patient
            self.batch.enrolled[stream] = enrolled_months(patient)
        for stream in self._identities:
            self.batch.links[stream] = links(self._patients[stream].live.patient)

    def _circle(self, hot: HotPatient, accepted: Accepted) -> Rejection | None:
        """The refusal of an event that would merge a record into itself."""
        practice = hot.live.patient.practice_id

        def into_of(patient: str) -> str | None:
            return merged_into(self.patient(stream_id(practice, patient)).live.patient)

        return circle(hot.live.patient, accepted.event, into_of)

    def patient(self, stream: str) -> HotPatient:
        """Any patient, loaded where the batch is not about them; their history must not grow
        meanwhile."""
        if stream not in self._patients:
            assert self._past is not None
            self._patients[stream] = self._past.patient(stream)
        hot = self._patients[stream]
        if hot.live.patient.version:
            self.batch.versions.setdefault(stream, hot.live.patient.version)
        return hot

    def stored(self, stream: str) -> list[StoredEvent]:
        """The whole history of a patient: what is stored, and what this batch appends."""
        assert self._past is not None
        return [*self._past.history(stream), *self.appended(stream)]

    def appended(self, stream: str) -> list[StoredEvent]:
        """What this batch appends to a patient's history."""
        return [event for event in self.batch.events if event.stream_id == stream]

    def carry(self, accepted: Accepted, stream: str) -> None:
        """Append an event that is owed; it counts as nothing that came in."""
        self._append(self.patient(stream), accepted, stream, event_key(*accepted.event.key))
        self.accepted -= 1

    def _instant(self, stream_id: str, hot: HotPatient) -> int:
        """When what this batch appends to a patient is recorded: now, and never before or at what
        the patient has, by whatever clock that was recorded."""
        instant = self._instants.get(stream_id)
        if instant is None:
            instant = max(self._recorded_at_us, hot.recorded_at_us + 1)
            self._instants[stream_id] = instant
        return instant

    def _append(self, hot: HotPatient, accepted: Accepted, stream_id: str, key: bytes) -> None:
        event, patient = accepted.event, hot.live.patient
        instant = self._instant(stream_id, hot)
        state = encode_state(
            source=event.source,
            id=event.id,
            time_text=accepted.time_text,
            recorded_at_us=instant,
            previous=hot.previous,
            data=accepted.data,
            history=event.history,
        )
        version = patient.version + 1
        policy = self._policy_of(event.practice_id)
        months, changes = hot.live.take(event, instant, self._book, policy)
        hot.recorded_at_us = instant
        hot.previous = link(stream_id, version, accepted.name, state)
        self.batch.events.append(StoredEvent(stream_id, version, accepted.name, state, key))
        self._touched.setdefault(stream_id, set()).update(months)
        if (kind := type(event.fact)) in _NOTED:
            self._note(kind, stream_id)
        for change in changes:
            row = transition_row(
                stream_id,
                event.practice_id,
                event.patient_id,
                change,
                event.key,
                version,
                instant,
            )
            self.batch.transitions.append(row)
        self.accepted += 1

    def _note(self, kind: type[Fact], stream_id: str) -> None:
        if kind in _ENROLMENT:
            self._enrolments.add(stream_id)
        if kind in _IDENTITY:
            self._identities.add(stream_id)
