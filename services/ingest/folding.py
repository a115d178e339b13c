"""One attempt at a batch: its events folded into their patients, and the rows that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.facts import EventRetracted, IdentityLinked, Month, PatientDisenrolled, PatientEnrolled
from domain.patient import Accepted as New
from domain.patient import Duplicate, conflicting_duplicate, decide
from domain.policy import Policy
from domain.rejections import Rejection
from domain.rules import RuleBook
from infra.answers import assessment_row, transition_row
from infra.codec import encode_state, event_key, link
from projections.boundaries import Passed
from projections.enrolled import enrolled_months
from projections.live import MICROSECONDS
from projections.ports import Batch, StoredEvent
from projections.translated import links
from services.ingest.patients import HotPatient
from services.ingest.ticks import tick
from services.wire.decode import Accepted

_ENROLMENT = frozenset({PatientEnrolled, PatientDisenrolled, EventRetracted})
"""Facts that may change when a patient is enrolled."""


_IDENTITY = frozenset({IdentityLinked, EventRetracted})
"""Facts that may change whom an identifier means."""


class Folding:
    """Collects what one transaction will write. Patients are changed as it goes: if the
    transaction fails they must be forgotten."""

    def __init__(
        self,
        patients: Mapping[str, HotPatient],
        book: RuleBook,
        policy_of: Callable[[str], Policy],
        recorded_at_us: int,
        results: list[Rejection | None],
    ) -> None:
        self._patients = patients
        self._book = book
        self._policy_of = policy_of
        self._recorded_at_us = recorded_at_us
        self._touched: dict[str, set[Month]] = {}
        self._enrolments: set[str] = set()
        self._identities: set[str] = set()
        self._streams: dict[bytes, str] = {}
        self.results = results
        self.batch = Batch()
        self.accepted = 0
        self.duplicates = 0

    def take(self, index: int, accepted: Accepted, stream_id: str, key: bytes) -> None:
        """Decide on one event and fold it if it is new."""
        hot = self._patients[stream_id]
        decision = decide(hot.live.patient, accepted.event)
        if isinstance(decision, Duplicate):
            self.duplicates += 1
        elif not isinstance(decision, New):
            self.results[index] = decision.rejection
        elif self._streams.setdefault(key, stream_id) != stream_id:
            self.results[index] = conflicting_duplicate()
        else:
            self._append(hot, accepted, stream_id, key)

    def tick(self, stream_id: str, passed: Passed) -> None:
        """Append a tick if the passed boundary changes an alert of this patient."""
        hot = self._patients[stream_id]
        patient = hot.live.patient
        policy = self._policy_of(patient.practice_id)
        now = self._recorded_at_us // MICROSECONDS
        if hot.live.would_change(passed.month, now, self._book, policy):
            accepted = tick(patient, passed)
            self._append(hot, accepted, stream_id, event_key(*accepted.event.key))

    def note_enrolments(self, stream_id: str) -> None:
        """Write the patient's enrolments though no event changed them."""
        self._enrolments.add(stream_id)
        self.batch.versions[stream_id] = self._patients[stream_id].live.patient.version

    def finish(self) -> None:
        """Assess every month touched, once, as of the batch's last event, and keep a snapshot of
        each history that has grown enough."""
        for stream_id, months in self._touched.items():
            hot = self._patients[stream_id]
            live = hot.live
            policy = self._policy_of(live.patient.practice_id)
            for month in sorted(months):
                answer = live.answer(month, self._book, policy)
                if answer is None:
                    self.batch.removed_months.append((stream_id, month))
                else:
                    self.batch.assessments.append(assessment_row(stream_id, answer))
            kept = hot.snapshot_if_due(stream_id)
            if kept is not None:
                self.batch.snapshots.append(kept)
        for stream_id in self._enrolments:
            patient = self._patients[stream_id].live.patient
            self.batch.enrolled[stream_id] = enrolled_months(patient)
        for stream_id in self._identities:
            self.batch.links[stream_id] = links(self._patients[stream_id].live.patient)

    def _append(self, hot: HotPatient, accepted: Accepted, stream_id: str, key: bytes) -> None:
        event, patient = accepted.event, hot.live.patient
        state = encode_state(
            source=event.source,
            id=event.id,
            time_text=accepted.time_text,
            recorded_at_us=self._recorded_at_us,
            previous=hot.previous,
            data=accepted.data,
            history=event.history,
        )
        version = patient.version + 1
        policy = self._policy_of(event.practice_id)
        months, changes = hot.live.take(event, self._recorded_at_us, self._book, policy)
        hot.previous = link(stream_id, version, accepted.name, state)
        self.batch.events.append(StoredEvent(stream_id, version, accepted.name, state, key))
        self.batch.versions[stream_id] = version
        self._touched.setdefault(stream_id, set()).update(months)
        if type(event.fact) in _ENROLMENT:
            self._enrolments.add(stream_id)
        if type(event.fact) in _IDENTITY:
            self._identities.add(stream_id)
        for change in changes:
            row = transition_row(
                stream_id,
                event.practice_id,
                event.patient_id,
                change,
                event.key,
                version,
                self._recorded_at_us,
            )
            self.batch.transitions.append(row)
        self.accepted += 1
