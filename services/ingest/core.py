"""Ingest: deliveries in, one transaction out.

A batch is decoded, folded into its patients, assessed, and written with the feed's position in a
single transaction. Whatever is wrong with a delivery ends as a dead letter in that same
transaction. Nothing but an outage of the store makes `take` raise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.patient import conflicting_duplicate
from domain.policy import Policy
from domain.rejections import Rejection
from domain.rules import RuleBook
from infra.clock import Clock
from projections.boundaries import Passed
from projections.letters import LetterAct
from projections.ports import KeysTaken, Store, StreamMoved
from services.ingest.folding import Folding
from services.ingest.letters import write_letters
from services.ingest.opening import Delivery, Opened, Opener, open_native
from services.ingest.patients import HotPatient, HotPatients

PATIENTS_MAX = 50_000
"""Patients kept hot; the rest are loaded when they are next heard of."""

TRIES_MAX = 10
"""How often a batch is folded anew after other writers got in first, before it is an outage."""


@dataclass(slots=True)
class Outcome:
    """What became of a batch; `results` has a rejection or None for each delivery in order."""

    accepted: int = 0
    duplicates: int = 0
    dead_lettered: int = 0
    results: list[Rejection | None] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    """Resources that hold nothing of ours, by why; our own events are never ignored."""


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
        opener: Opener | None = None,
    ) -> None:
        """`policy_of` gives the policy of a practice id; for `makings` see `Batch`; `opener`
        knows another form than our own events."""
        self._store = store
        self._clock = clock
        self._book = book
        self._policy_of = policy_of
        self._patients = HotPatients(store, patients_max)
        self._makings = makings
        self._opener = opener
        self._recorded_at_us = 0

    def take(
        self,
        deliveries: Sequence[Delivery],
        tracking: Mapping[str, int] | None = None,
        keep_dead_letters: bool = True,
        judge: Judge | None = None,
        acts: Sequence[LetterAct] = (),
    ) -> Outcome:
        """Take a batch in one transaction and return when it is durable.

        `tracking` maps feed names to the positions this batch takes them to. With
        `keep_dead_letters` false, rejections are only reported (a sender that is told of them
        keeps its own copy). `acts` are written with the letters that are taken. Raises
        `PositionPassed` for a late or repeated delivery of a feed's positions, `LetterMoved` for
        an act that came too late, and whatever `judge` raises; any other exception is an outage.
        Nothing was written then.
        """
        opened = self._open(deliveries)
        taken: dict[bytes, str] = {}
        for _ in range(TRIES_MAX):
            opened, attempt = self._fold_whole(deliveries, opened, taken)
            batch, results = attempt.batch, attempt.results
            write_letters(batch, opened, results, self._recorded_at_us)
            if not keep_dead_letters:
                batch.dead_letters.clear()
            batch.letter_acts = [act for act in acts if act.letter_id in batch.replayed]
            batch.resources = opened.taken(results)
            batch.tracking.update(tracking or {})
            batch.makings = self._makings
            try:
                self._commit(attempt, judge)
            except KeysTaken as error:
                taken.update(error.taken)
            except StreamMoved:
                if opened.whose is not None:
                    opened = self._open(deliveries)
            else:
                return _outcome(opened, attempt, len(deliveries))
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
        self, patients: dict[str, HotPatient], results: list[Rejection | None]
    ) -> Folding:
        self._recorded_at_us = max(self._clock(), self._recorded_at_us + 1)
        return Folding(
            patients, self._book, self._policy_of, self._recorded_at_us, results, self._patients
        )

    def _fold_whole(
        self, deliveries: Sequence[Delivery], opened: Opened, taken: Mapping[bytes, str]
    ) -> tuple[Opened, Folding]:
        """Fold a batch. Where folding refuses a piece of a foreign form, the batch is opened anew
        without it: nothing of the piece is applied, and no later one is compared with it."""
        while True:
            attempt = self._fold(opened, taken)
            late = opened.refused_late(attempt.results)
            if not late:
                return opened, attempt
            self._patients.forget(attempt.batch.versions)
            opened = self._open(deliveries, {**opened.refused, **late})

    def _open(
        self, deliveries: Sequence[Delivery], refused: Mapping[int, Rejection] | None = None
    ) -> Opened:
        if self._opener is not None and any(map(self._opener.knows, deliveries)):
            return self._opener.open(deliveries, refused or {})
        return open_native(deliveries)

    def _fold(
        self,
        opened: Opened,
        taken: Mapping[bytes, str],
    ) -> Folding:
        patients = self._patients.fetch(item.stream_id for item in opened.incoming)
        folding = self._new_folding(patients, list(opened.results))
        try:
            for one in opened.incoming:
                if taken and taken.get(one.key, one.stream_id) != one.stream_id:
                    folding.results[one.piece] = conflicting_duplicate()
                else:
                    folding.take(one.piece, one.accepted, one.stream_id, one.key)
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


def _outcome(opened: Opened, attempt: Folding, deliveries: int) -> Outcome:
    rejected = len(attempt.results) - attempt.results.count(None)
    results = opened.by_delivery(attempt.results, deliveries)
    return Outcome(attempt.accepted, attempt.duplicates, rejected, results, opened.ignored)
