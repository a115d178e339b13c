"""The quick fold of an audit beside a slow one: the same transitions and answers, whatever
happened, and whatever was done to what is stored."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.assess import answer, reckon
from domain.patient import Patient, evolve, months_known
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json, transition_row
from infra.codec import decode_event, split_stream_id
from infra.eventstore import open_store
from infra.eventstore.bypatient import Range
from projections.ports import Store
from services.audit.refold import refold
from tests.audit.test_tamper_evidence import Vandal
from tests.projections.test_slack import Careful
from tests.services import merged
from tests.services.test_time_and_replay import stories
from tests.services.timed import Timed
from tests.thoroughness import examples

Found = dict[tuple[str, ...], Any]
"""What was decided or answered, by what it is about."""

THOROUGH = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HARMS = {
    "UPDATE transitions SET body = body || CAST(' ' AS BLOB)": ("transition", "different"),
    "UPDATE transitions SET recorded_at_us = recorded_at_us + 1": ("transition", "different"),
    "UPDATE transitions SET raised = 1 - raised": ("transition", "different"),
    "UPDATE transitions SET transition = transition + 100": ("transition", "left-over"),
    "DELETE FROM transitions": ("transition", "missing"),
    "UPDATE assessments SET body = CAST(replace(body, ':', ': ') AS BLOB)": (
        "assessment",
        "different",
    ),
    "UPDATE assessments SET month = '2009-01'": ("assessment", "left-over"),
    "DELETE FROM assessments": ("assessment", "missing"),
}


@contextmanager
def told(data: st.DataObject) -> Iterator[Timed]:
    """A story in a database, and another record that is merged into its patient, or was."""
    with tempfile.TemporaryDirectory() as folder:
        stores = [open_store(f"sqlite:///{folder}/log.db")]
        _, timed = data.draw(stories(stores.pop))
        into = split_stream_id(next(iter(timed.store.versions()), "p1/pt1"))[1]
        others = [*merged.chart("x"), *(merged.call(f"t{n}", "x", 9, n) for n in range(4))]
        others += [merged.merge("x", into), merged.retract(f"merge-x-{into}", "x")]
        for at in range(0, data.draw(st.sampled_from((0, len(others) - 1, len(others)))), 3):
            timed.say(*(json.dumps(each).encode() for each in others[at : at + 3]))
        yield timed
        timed.store.close()


def slowly(store: Store, policy_of: Callable[[str], Policy]) -> tuple[Found, Found]:
    """Transitions and assessments, with every month reckoned after every event and each answer
    given for a patient folded anew."""
    lives: dict[str, Careful] = {}
    moves: Found = {}
    for stored in store.log(0, 1 << 40):
        event = decode_event(stored)
        address = split_stream_id(stored.stream_id)
        live = lives.setdefault(stored.stream_id, Careful(Patient(*address)))
        recorded = event.recorded_at_us or 0
        for change in live.take(event, recorded, BOOK, policy_of(address[0]))[1]:
            where = (stored.stream_id, *address)
            row = transition_row(*where, change, event.key, stored.version, recorded)
            moves[stored.stream_id, row.state.alert_id, str(row.state.transition)] = row
    answers: Found = {}
    for stream, live in lives.items():
        patient = Patient(*split_stream_id(stream))
        for event in live.patient.events.values():
            evolve(patient, event)
        for month in months_known(patient):
            reckoned = reckon(patient, month, BOOK, policy_of(patient.practice_id))
            if reckoned.has_ground:
                found = assessment_json(answer(patient, reckoned, BOOK))
                answers[stream, month] = {**json.loads(found), "stream_version": 0}
    return moves, answers


def as_stored(store: Store) -> tuple[Found, Found]:
    moves: Found = {}
    for row in store.transitions(0, 1 << 40):
        key = (row.stream_id, row.state.alert_id, str(row.state.transition))
        moves[key] = row._replace(position=0)
    answers: Found = {}
    for body in store.assessments():
        said = {**json.loads(body), "stream_version": 0}
        answers[f"{said['practice_id']}/{said['patient_id']}", said["month"]] = said
    return moves, answers


def differences(stored: Found, decided: Found) -> set[tuple[str, ...]]:
    """Kind and what it is about."""
    found = {("left-over", *key) for key in stored.keys() - decided.keys()}
    found |= {("missing", *key) for key in decided.keys() - stored.keys()}
    both = stored.keys() & decided.keys()
    return found | {("different", *key) for key in both if stored[key] != decided[key]}


def quickly(store: Store, policy_of: Callable[[str], Policy]) -> tuple[set[Any], set[Any]]:
    """What `replay --verify` names: transitions and assessments, as `differences` has them."""
    moves, answers = set(), set()
    for d in refold(store, Range("", None), BOOK, policy_of).deviations:
        if d.what == "transition":
            moves.add((d.kind, d.stream_id, *d.alert.rsplit(".", 1)))
        else:
            answers.add((d.kind, d.stream_id, d.month))
    return moves, answers


@THOROUGH
@given(st.data())
def test_the_quick_fold_finds_what_the_slow_one_finds(data: st.DataObject) -> None:
    """Nothing under the policy that decided; under another one the same list of differences."""
    with told(data) as timed:
        store, policy_of = timed.store, timed.policy_of
        assert quickly(store, policy_of) == (set(), set())
        assert slowly(store, policy_of) == as_stored(store)
        margin = data.draw(st.sampled_from((0, 60, 600, 3_000)))
        days = data.draw(st.sampled_from((0, 3, 28)))
        other = replace(policy_of(""), approaching_seconds=margin, at_risk_days=days)
        moves, answers = slowly(store, lambda _: other)
        stored_moves, stored_answers = as_stored(store)
        expected = differences(stored_moves, moves), differences(stored_answers, answers)
        assert quickly(store, lambda _: other) == expected


@THOROUGH
@given(st.data())
def test_one_row_that_was_changed_taken_away_or_moved_is_named(data: st.DataObject) -> None:
    with told(data) as timed:
        harm = data.draw(st.sampled_from(sorted(HARMS)))
        what, kind = HARMS[harm]
        moves, answers = as_stored(timed.store)
        rows = moves if what == "transition" else answers
        if not rows:
            return
        key = data.draw(st.sampled_from(sorted(rows)))
        if what == "transition":
            where = "alert_id = ? AND transition = ?"
            values: tuple[Any, ...] = (key[1], int(key[2]))
        else:
            where, values = "stream_id = ? AND month = ?", key
        Vandal(timed.store)(f"{harm} WHERE {where}", *values)
        moved, answered = quickly(timed.store, timed.policy_of)
        named = moved if what == "transition" else answered
        about = (key[0], "2009-01") if "2009" in harm else key
        if "+ 100" in harm:
            about = (*key[:2], str(int(key[2]) + 100))
        assert (kind, *about) in named
        assert len(moved) + len(answered) == (2 if kind == "left-over" else 1)
