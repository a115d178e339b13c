"""Ingest: deliveries in, one transaction out.

A batch is decoded, folded into its patients, assessed, and written with the feed's position in a
single transaction. Whatever is wrong with a delivery ends as a dead letter in that same
transaction. Nothing but an outage of the store makes `take` raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.patient import conflicting_duplicate
from domain.policy import Policy
from domain.rejections import Rejection
from domain.rules import RuleBook
from infra.clock import Clock
from infra.codec import event_key, stream_id
from projections.boundaries import Passed
from projections.ports import DeadLetter, KeysTaken, Store, StreamMoved
from services.ingest.folding import Folding
from services.ingest.patients import HotPatient, HotPatients
from services.wire.decode import Accepted, decode_message

PATIENTS_MAX = 50_000
"""Patients kept hot; the rest are loaded when they are next heard of."""

TRIES_MAX = 10
"""How often a batch is folded anew after other writers got in first, before it is an outage."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as a door received it. `origin` names the door and place for dead letters.

    `letter_id` is that of the dead letter which is put in again, 0 where the message comes for
    the first time. Taken, the letter is marked so in the same transaction; refused again, it stays
    as it is and no second one is made of it.
    """

    value: bytes | None
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    origin: str
    letter_id: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of a batch; `results` has a rejection or None for each delivery in order."""

    accepted: int = 0
    duplicates: int = 0
    dead_lettered: int = 0
    results: list[Rejection | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A decoded delivery with the two names the store knows it by."""

    index: int
    accepted: Accepted
    stream_id: str
    key: bytes


Judge = Callable[[Sequence[Rejection | None]], None]
"""Sees what would become of a batch before it is written, and raises to have none of it written.
It may be asked several times about one batch."""


class Busy(Exception):
    """Other writers kept getting in first: try the batch again later."""


class Ingest:
    """The one way into the log, shared by all doors of a process. Not for concurrent calls."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        book: RuleBook,
        policy_of: Callable[[str], Policy],
        patients_max: int = PATIENTS_MAX,
        makings: frozenset[str] = frozenset(),
    ) -> None:
        """`policy_of` gives the policy of a practice id; for `makings` see `Batch`."""
        self._store = store
        self._clock = clock
        self._book = book
        self._policy_of = policy_of
        self._patients = HotPatients(store, patients_max)
        self._makings = makings
        self._recorded_at_us = 0

    def take(
        self,
        deliveries: Sequence[Delivery],
        tracking: Mapping[str, int] | None = None,
        keep_dead_letters: bool = True,
        judge: Judge | None = None,
    ) -> Outcome:
        """Take a batch in one transaction and return when it is durable.

        `tracking` maps feed names to the positions this batch takes them to. With
        `keep_dead_letters` false, rejections are only reported (a sender that is told of them
        keeps its own copy). Raises `PositionPassed` for a late or repeated delivery of a feed's
        positions and whatever `judge` raises; any other exception is an outage. Nothing was
        written then.
        """
        results: list[Rejection | None] = [None] * len(deliveries)
        incoming = self._decode(deliveries, results)
        taken: dict[bytes, str] = {}
        for _ in range(TRIES_MAX):
            attempt = self._fold(incoming, results, taken)
            letters = self._letters(deliveries, attempt.results) if keep_dead_letters else []
            attempt.batch.dead_letters.extend(letters)
            attempt.batch.replayed.update(self._replayed(deliveries, attempt.results))
            attempt.batch.tracking.update(tracking or {})
            attempt.batch.makings = self._makings
            try:
                self._commit(attempt, judge)
            except KeysTaken as error:
                taken.update(error.taken)
            except StreamMoved:
                pass
            else:
                rejected = sum(result is not None for result in attempt.results)
                return Outcome(attempt.accepted, attempt.duplicates, rejected, attempt.results)
        raise Busy("other writers kept changing the same patients")

    def tick(self, stream_ids: Sequence[str], passed: Passed) -> int:
        """Append a tick to each of these patients of whom the passed boundary changes an alert, in
        one transaction; how many. What another process ticked already is not ticked again."""
        return self._write(stream_ids, lambda folding, stream: folding.tick(stream, passed))

    def note_enrolments(self, stream_ids: Sequence[str]) -> None:
        """Write the months in which these patients are enrolled, as their events have them."""
        self._write(stream_ids, Folding.note_enrolments)

    def _write(self, stream_ids: Sequence[str], work: Callable[[Folding, str], None]) -> int:
        """Do our own work on patients in one transaction; how many events it appended."""
        for _ in range(TRIES_MAX):
            patients = self._patients.peek(stream_ids)
            folding = self._new_folding(patients, [])
            try:
                for stream in stream_ids:
                    work(folding, stream)
                folding.finish()
                self._commit(folding)
            except (StreamMoved, KeysTaken):
                continue
            except BaseException:
                self._patients.forget(patients)
                raise
            return folding.accepted
        raise Busy("other writers kept changing the same patients")

    def _new_folding(
        self, patients: Mapping[str, HotPatient], results: list[Rejection | None]
    ) -> Folding:
        self._recorded_at_us = max(self._clock(), self._recorded_at_us + 1)
        return Folding(patients, self._book, self._policy_of, self._recorded_at_us, results)

    def _decode(
        self, deliveries: Sequence[Delivery], results: list[Rejection | None]
    ) -> list[Incoming]:
        incoming = []
        for index, delivery in enumerate(deliveries):
            decoded = decode_message(delivery.value, delivery.headers)
            if isinstance(decoded, Rejection):
                results[index] = decoded
                continue
            event = decoded.event
            incoming.append(
                Incoming(
                    index,
                    decoded,
                    stream_id(event.practice_id, event.patient_id),
                    event_key(event.source, event.id),
                )
            )
        return incoming

    def _fold(
        self,
        incoming: Sequence[Incoming],
        results: Sequence[Rejection | None],
        taken: Mapping[bytes, str],
    ) -> Folding:
        patients = self._patients.fetch(item.stream_id for item in incoming)
        folding = self._new_folding(patients, list(results))
        try:
            for item in incoming:
                if taken.get(item.key, item.stream_id) != item.stream_id:
                    folding.results[item.index] = conflicting_duplicate()
                else:
                    folding.take(item.index, item.accepted, item.stream_id, item.key)
            folding.finish()
        except BaseException:
            self._patients.forget(patients)
            raise
        return folding

    def _commit(self, attempt: Folding, judge: Judge | None = None) -> None:
        try:
            if judge is not None:
                judge(attempt.results)
            self._store.commit(attempt.batch)
        except BaseException:
            self._patients.forget(attempt.batch.versions)
            raise

    def _letters(
        self, deliveries: Sequence[Delivery], results: Sequence[Rejection | None]
    ) -> list[DeadLetter]:
        now = self._recorded_at_us
        return [
            dead_letter(delivery, rejection, now)
            for delivery, rejection in zip(deliveries, results, strict=True)
            if rejection is not None and not delivery.letter_id
        ]

    def _replayed(
        self, deliveries: Sequence[Delivery], results: Sequence[Rejection | None]
    ) -> dict[int, int]:
        return {
            delivery.letter_id: self._recorded_at_us
            for delivery, rejection in zip(deliveries, results, strict=True)
            if rejection is None and delivery.letter_id
        }


def dead_letter(delivery: Delivery, rejection: Rejection, received_at_us: int) -> DeadLetter:
    """A refused delivery, whole, with the reason."""
    return DeadLetter(
        origin=delivery.origin,
        reason=rejection.reason.value,
        field=rejection.field,
        sentence=rejection.sentence,
        value=delivery.value,
        key=delivery.key,
        headers=delivery.headers,
        received_at_us=received_at_us,
    )
