"""The store and the alert topic against the plain fold of everything that was ever sent.

What was sent is read back from the topic: it is what the broker acknowledged. Nothing here knows
of batches, transactions, positions or processes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka import Message as Record

from domain.alerts import alert_id
from domain.assess import assessments
from domain.facts import CLOCK_SOURCE
from domain.patient import Accepted, Patient, Refused, decide, evolve
from domain.policy import Policy
from domain.rejections import Rejection
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.codec import decode_event, stream_id
from infra.eventstore import MemoryStore
from infra.eventstore.projected import open_projected
from projections.live import LivePatient
from projections.ports import Batch, Store, TransitionRow
from services.projecting.following import step
from services.projecting.overlaps import StaffOverlaps
from services.wire.decode import decode_message
from tests.crash.world import World, eventually

Turn = tuple[str, int, bool, str | None, str, str]
"""A transition without the time of its recording: alert, number, raised, why it is silent, and its
cause."""

Headers = tuple[tuple[str, bytes], ...]
Log = dict[str, list[tuple[str, str]]]


@dataclass
class Fold:
    """What must be in the store."""

    sent: int = 0
    events: Log = field(default_factory=lambda: defaultdict(list))
    """(source, id) of each patient's events, in order."""
    refused: list[str] = field(default_factory=list)
    """Where refused messages lie."""
    repeated: int = 0
    patients: dict[str, Patient] = field(default_factory=dict)

    def take(self, value: bytes | None, headers: Headers, origin: str) -> None:
        self.sent += 1
        decoded = decode_message(value, headers)
        decision: object = decoded
        if not isinstance(decoded, Rejection):
            event = decoded.event
            name = stream_id(event.practice_id, event.patient_id)
            if name not in self.patients:
                self.patients[name] = Patient(event.practice_id, event.patient_id)
            decision = decide(self.patients[name], event)
            if isinstance(decision, Accepted):
                evolve(self.patients[name], event)
                self.events[name].append(event.key)
                return
        if isinstance(decision, Rejection | Refused):
            self.refused.append(origin)
        else:
            self.repeated += 1

    def answers(self) -> list[bytes]:
        return [
            timeless(assessment_json(answer))
            for _, patient in sorted(self.patients.items())
            for answer in assessments(patient, BOOK, Policy())
        ]


@dataclass(frozen=True)
class Figures:
    """What was compared, and found equal."""

    sent: int
    events: int
    repeated: int
    dead_letters: int
    patients: int
    months: int
    transitions: int
    alerts_received: int
    alerts_received_again: int


def settle(world: World) -> None:
    """Wait until everything that lies on the topic is stored and every transition delivered."""
    wait_until_stored(world)
    if any(member.role == "projector" for member in world.members):
        eventually(
            lambda: world.ask(lambda s: world.done(s, "projector") == s.head()),
            "what crosses patients is decided",
            moving=lambda: world.ask(lambda s: world.done(s, "projector")),
        )
    sink = f"kafka:{world.settings.alerts_topic}"
    eventually(
        lambda: world.ask(lambda s: not s.transitions(s.delivered(sink), 1)),
        "every transition is delivered",
        moving=lambda: world.ask(lambda s: s.delivered(sink)),
    )


def wait_until_stored(world: World) -> None:
    """Wait until everything that lies on the topic now is stored."""
    topic = world.settings.events_topic
    wanted = {f"{topic}/{p}": end - 1 for p, end in ends(world, topic).items() if end}

    def stored(store: Store) -> bool:
        found = {feed: store.tracking(feed) for feed in wanted}
        return all(at is not None and at >= wanted[feed] for feed, at in found.items())

    eventually(
        lambda: world.ask(stored),
        "all that lies on the topic is stored",
        moving=lambda: world.ask(lambda s: s.head()),
    )


def compare(world: World) -> Figures:
    """Raises AssertionError where anything is lost, doubled, missing or different."""
    fold = Fold()
    for record in read(world, world.settings.events_topic):
        headers = tuple((name, value or b"") for name, value in record.headers() or ())
        place = f"kafka:{record.topic()}/{record.partition()}@{record.offset()}"
        fold.take(record.value(), headers, place)  # type: ignore[arg-type]
    projected = any(member.role == "projector" for member in world.members)
    with world.store() as store:
        overlaps = overlaps_of(store) if projected else []
        return _compared(fold, store, overlaps, read(world, world.settings.alerts_topic))


def _compared(fold: Fold, store: Store, overlaps: list[Turn], alerts: list[Record]) -> Figures:
    log, turns = whole_log(store)
    turns += overlaps
    assert log == fold.events, _difference(log, fold.events)
    letters = _letters(store)
    assert letters == sorted(fold.refused), "dead letters are not what was refused, once each"
    answers = fold.answers()
    assert list(map(timeless, store.assessments())) == answers, (
        "an assessment is not what the fold gives"
    )
    rows = whole_transitions(store)
    have, need = Counter(map(turn, rows)), Counter(turns)
    assert have == need, f"transitions missing {need - have}, too many {have - need}"
    again = _delivered(rows, alerts)
    return Figures(
        sent=fold.sent,
        events=sum(map(len, log.values())),
        repeated=fold.repeated,
        dead_letters=len(letters),
        patients=len(fold.patients),
        months=len(answers),
        transitions=len(rows),
        alerts_received=len(alerts),
        alerts_received_again=again,
    )


def _delivered(rows: list[TransitionRow], alerts: list[Record]) -> int:
    """How many alerts came again; each of them under the id and with the bytes it had before."""
    told = [row for row in rows if row.suppressed is None]
    wanted = {f"{row.state.alert_id}.{row.state.transition}": row.body for row in told}
    assert len(wanted) == len(told)
    came = Counter(_id(alert) for alert in alerts)
    assert came.keys() == wanted.keys(), (
        f"{len(wanted.keys() - came.keys())} alerts missing, "
        f"{len(came.keys() - wanted.keys())} that nobody decided"
    )
    assert all(alert.value() == wanted[_id(alert)] for alert in alerts), "an id, two messages"
    return len(alerts) - len(came)


def _id(alert: Record) -> str:
    (value,) = (value for name, value in alert.headers() or () if name == "ce_id")
    assert isinstance(value, bytes)
    return value.decode()


def whole_log(store: Store) -> tuple[Log, list[Turn]]:
    """Each patient's events as they lie in the log, and the transitions that follow from them at
    the times of their recording."""
    log: Log = defaultdict(list)
    patients: dict[str, LivePatient] = {}
    turns: list[Turn] = []
    after = 0
    while page := store.log(after, 5000):
        assert [e.position for e in page] == list(range(after + 1, after + 1 + len(page)))
        after = page[-1].position
        for stored in page:
            event, name = decode_event(stored), stored.stream_id
            if event.source != CLOCK_SOURCE:
                log[name].append(event.key)
            if name not in patients:
                patients[name] = LivePatient(Patient(event.practice_id, event.patient_id))
            _, changes = patients[name].take(event, event.recorded_at_us or 0, BOOK, Policy())
            assert stored.version == patients[name].patient.version
            for change in changes:
                identity = alert_id(event.practice_id, event.patient_id, change.watched)
                silent = change.suppressed and change.suppressed.value
                turns.append((identity, change.number, change.raised, silent, *event.key))
    return log, turns


def overlaps_of(store: Store) -> list[Turn]:
    """What one fold of the whole log that nobody disturbs decides about staff in two places."""
    again = MemoryStore()
    after = 0
    while page := store.log(after, 5000):
        after = page[-1].position
        for event in page:  # singly: a batch is put in order of streams
            again.commit(Batch(events=[event], versions={event.stream_id: event.version}))
    fold = StaffOverlaps(again, open_projected(again), lambda _: Policy())
    step(again, fold, 0, again.head())
    return [turn(row) for row in whole_transitions(again)]


def timeless(answer: bytes) -> bytes:
    """Without the version, which also counts the ticks of the clock."""
    return answer.rpartition(b',"stream_version":')[0]


def _letters(store: Store) -> list[str]:
    found = []
    after = 0
    while page := store.dead_letters(after, 1000):
        after = page[-1].id
        found += [letter.origin for letter in page]
    return sorted(found)


def whole_transitions(store: Store) -> list[TransitionRow]:
    rows: list[TransitionRow] = []
    while page := store.transitions(rows[-1].position if rows else 0, 5000):
        rows += page
    return rows


def turn(row: TransitionRow) -> Turn:
    cause = json.loads(row.body)["cause"]
    state = row.state
    said = (state.alert_id, state.transition, state.raised, row.suppressed)
    return (*said, cause["source"], cause["id"])


def _difference(found: Log, wanted: Log) -> str:
    have = Counter(key for keys in found.values() for key in keys)
    need = Counter(key for keys in wanted.values() for key in keys)
    lost, doubled = need - have, have - need
    return f"{lost.total()} events lost, {doubled.total()} doubled or foreign"


def ends(world: World, topic: str) -> dict[int, int]:
    """The end of each partition of a topic."""
    consumer = Consumer({"bootstrap.servers": world.settings.bootstrap, "group.id": "unused"})
    try:
        known = consumer.list_topics(topic, 30).topics[topic].partitions
        return {
            p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1]
            for p in known
        }
    finally:
        consumer.close()


def read(world: World, topic: str) -> list[Record]:
    """Everything on a topic, each partition in its order."""
    left = {p: end for p, end in ends(world, topic).items() if end}
    consumer = Consumer(
        {
            "bootstrap.servers": world.settings.bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, p, 0) for p in left])
    found: list[Record] = []
    try:
        while left:
            for record in consumer.consume(5000, timeout=1.0):
                assert record.error() is None, record.error()
                found.append(record)
                if record.offset() == left.get(record.partition(), 0) - 1:  # type: ignore[index,arg-type]
                    del left[record.partition()]  # type: ignore[arg-type]
    finally:
        consumer.close()
    return found
