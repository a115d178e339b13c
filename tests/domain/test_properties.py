"""Promises of the domain that hold for any patient, held against the oracle and itself."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import facts as f
from domain.assess import assess
from domain.event import Event
from domain.patient import Duplicate, Patient, decide, evolve
from domain.rules import BOOK
from infra.answers import assessment_json
from tests import oracle
from tests.given import PATIENT, PRACTICE, event, five_pm, folded
from tests.strategies import Scene, month_start, scenes
from tests.thoroughness import examples, hunting_mutants

QUICK = settings(
    max_examples=examples(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PATIENTS = 1_000
PATIENT_MONTHS = 2_500
"""What the comparison with the oracle reaches at least: three months of each patient."""


def answers(events: Iterable[Event], scene: Scene) -> list[Any]:
    """The product's answers for the scene's months, without what depends on fees or versions."""
    patient = folded(events)
    return [
        _plain(assessment_json(assess(patient, month, BOOK, scene.policy)))
        for month in scene.months
    ]


def _plain(body: bytes) -> Any:
    answer = json.loads(body)
    answer["payment"] = answer["rules"] = answer["stream_version"] = None
    for option in (*answer["options"], *answer["earned"]):
        option["payment"] = None
    answer["warnings"] = [w for w in answer["warnings"] if w != "fee-missing"]
    return answer


def test_every_answer_is_the_one_of_the_oracle() -> None:
    """More than 2,500 random patient-months, of every year since 2015: the same answer as second
    by second."""
    compared: Counter[str] = Counter()

    @settings(QUICK, max_examples=examples(PATIENTS))
    @given(scenes())
    def compare(scene: Scene) -> None:
        if not scene.events:
            return
        expected = oracle.assess_months(scene.events, list(scene.months), scene.policy)
        found = answers(scene.events, scene)
        compared.update(month[:4] for month in scene.months)
        assert found == expected

    compare()
    if not hunting_mutants():
        assert compared.total() >= PATIENT_MONTHS
        assert set(compared) >= {str(year) for year in range(2015, 2027)}


def bodies(patient: Patient, scene: Scene) -> list[bytes]:
    """The answers as they are printed, stream version and all."""
    return [assessment_json(assess(patient, month, BOOK, scene.policy)) for month in scene.months]


@settings(QUICK)
@given(scenes(), st.data())
def test_neither_order_nor_repetition_changes_a_byte(scene: Scene, data: st.DataObject) -> None:
    """Any permutation, with any duplication, of the same events."""
    again = data.draw(st.lists(st.sampled_from(scene.events), max_size=5)) if scene.events else []
    shuffled = data.draw(st.permutations([*scene.events, *again]))
    if shuffled:
        assert bodies(folded(shuffled), scene) == bodies(folded(scene.events), scene)


@settings(QUICK)
@given(scenes())
def test_an_event_said_again_is_known_and_an_answer_asked_again_is_the_same(scene: Scene) -> None:
    if not scene.events:
        return
    patient = folded(scene.events)
    first = bodies(patient, scene)
    assert all(isinstance(decide(patient, said), Duplicate) for said in scene.events)
    assert bodies(patient, scene) == first


@settings(QUICK, max_examples=examples(120))
@given(scenes(), st.data())
def test_an_answer_counted_on_event_by_event_is_the_one_counted_anew(
    scene: Scene, data: st.DataObject
) -> None:
    """One live patient, asked after every event; and a patient folded anew for each question."""
    orders = [scene.events, sorted(scene.events, key=lambda said: said.order)]
    events = data.draw(st.one_of(st.sampled_from(orders), st.permutations(scene.events)))
    live = Patient(PRACTICE, PATIENT)
    for number, said in enumerate(events, start=1):
        evolve(live, said)
        assert bodies(live, scene) == bodies(folded(events[:number]), scene)


def _halves(said: Event, share: int) -> list[Event]:
    """The entry as two that follow each other, cut at `share` percent; itself when too short."""
    fact = said.fact
    assert isinstance(fact, f.TimeLogged)
    work = fact.work
    if isinstance(work, f.Clocked):
        cut = work.started_at + (work.ended_at - work.started_at) * share // 100
        halves: tuple[f.Work, f.Work] = (
            f.Clocked(work.started_at, cut),
            f.Clocked(cut, work.ended_at),
        )
        short = cut == work.started_at
    else:
        first = work.seconds * share // 100
        halves = (
            f.Unclocked(work.performed_on, first),
            f.Unclocked(work.performed_on, work.seconds - first),
        )
        short = first == 0
    if short:
        return [said]
    pieces = zip(("", "-rest"), halves, strict=True)
    return [
        event(
            dataclasses.replace(fact, entry_id=fact.entry_id + suffix, work=half),
            said.time,
            id=said.id + suffix,
            source=said.source,
        )
        for suffix, half in pieces
    ]


def _said_once(scene: Scene) -> list[Event]:
    """Entries logged by one event that nothing amends, voids or withdraws."""
    timed = f.TimeLogged | f.TimeAmended | f.TimeVoided
    facts = [said.fact for said in scene.events]
    said_of = Counter(fact.entry_id for fact in facts if isinstance(fact, timed))
    gone = {(r.event_source, r.event_id) for r in facts if isinstance(r, f.EventRetracted)}
    return [
        said
        for said in scene.events
        if isinstance(said.fact, f.TimeLogged)
        and said_of[said.fact.entry_id] == 1
        and said.key not in gone
    ]


def _by_reason(answer: Any) -> Any:
    """The answer without what names an entry or the end of one."""
    totals: Counter[str] = Counter()
    for exclusion in answer["excluded"]:
        totals[exclusion["reason"]] += exclusion["seconds"]
    warnings = [w for w in answer["warnings"] if w != "contemporaneity"]
    return {**answer, "excluded": dict(totals), "warnings": warnings}


@settings(QUICK, max_examples=examples(120))
@given(scenes(), st.data())
def test_splitting_an_entry_in_two_changes_nothing(scene: Scene, data: st.DataObject) -> None:
    """Neither seconds, reasons, codes nor dates. (Its first half ends earlier, so it may be late
    to be said.)"""
    whole = _said_once(scene)
    if not whole:
        return
    chosen = data.draw(st.sampled_from(whole))
    halves = _halves(chosen, data.draw(st.integers(1, 99)))
    split = [piece for said in scene.events for piece in (halves if said is chosen else [said])]
    before, after = answers(scene.events, scene), answers(split, scene)
    assert [_by_reason(answer) for answer in after] == [_by_reason(answer) for answer in before]


@st.composite
def further_entries(draw: st.DrawFn, scene: Scene) -> Event:
    """An entry of time that may count, on any day of the scene's months, under a new id."""
    role = draw(st.sampled_from([role for role in f.Role if role is not f.Role.NON_CLINICAL]))
    day = month_start(scene.months[0]) + timedelta(days=draw(st.integers(0, 88)))
    seconds = draw(st.sampled_from((1, 60, 600, 1200, 1800, 3600)))
    work: f.Work = f.Unclocked(day, seconds)
    if draw(st.booleans()):
        start = _ten_o_clock(day) + 300 * draw(st.integers(-200, 200))
        work = f.Clocked(start, start + seconds)
    fact = f.TimeLogged("further", f.Performer("x", role), "care_coordination", work)
    return event(fact, five_pm(day) + 86_400, id="further", source="s3")


def _ten_o_clock(day: date) -> int:
    return five_pm(day) - 3 * 3_600


def _units(options: Sequence[Any]) -> dict[str, Counter[str]]:
    return {
        option["family"]: Counter({line["code"]: line["units"] for line in option["codes"]})
        for option in options
    }


@settings(QUICK, max_examples=examples(120))
@given(scenes(), st.data())
def test_more_time_never_loses_a_unit_of_any_family(scene: Scene, data: st.DataObject) -> None:
    more = [*scene.events, data.draw(further_entries(scene))]
    before = answers(scene.events, scene) if scene.events else []
    for less, grown in zip(before, answers(more, scene), strict=bool(before)):
        for member in ("options", "earned"):
            now = _units(grown[member])
            for family, units in _units(less[member]).items():
                assert units <= now[family]


@settings(QUICK, max_examples=examples(120))
@given(scenes(), st.data())
def test_a_void_restores_the_former_answer(scene: Scene, data: st.DataObject) -> None:
    """To the letter, but for the warning that somebody worked on a claimed month."""
    if not scene.events:
        return
    said = data.draw(further_entries(scene))
    void = event(f.TimeVoided("further", "wrong patient"), said.time + 1, id="void", source="s3")
    place = data.draw(st.integers(0, len(scene.events)))
    events = [*scene.events[:place], void, *scene.events[place:], said]
    for former, restored in zip(answers(scene.events, scene), answers(events, scene), strict=True):
        for answer in (former, restored):
            answer["warnings"] = [w for w in answer["warnings"] if w != "late-after-claim"]
        assert restored == former


def test_the_scenes_reach_the_edges_they_are_meant_for() -> None:
    """Zones on both sides of UTC, clock changes, month ends, and roles that overlap."""
    seen: Counter[str] = Counter()

    @settings(QUICK, max_examples=examples(200))
    @given(scenes())
    def look(scene: Scene) -> None:
        seen.update(_edges(scene))

    look()
    if not hunting_mutants():
        assert not [edge for edge in EDGES if seen[edge] < 5], seen


EDGES = ("behind", "ahead", "across-month-end", "across-clock-change", "roles-overlap")


def _edges(scene: Scene) -> set[str]:
    facts = [said.fact for said in scene.events]
    zones = {fact.timezone for fact in facts if isinstance(fact, f.PatientEnrolled)}
    found = set()
    if zones & {"Pacific/Honolulu"}:
        found.add("behind")
    if zones & {"Pacific/Guam", "Pacific/Tongatapu"}:
        found.add("ahead")
    clocked = [
        (fact.performer.role, fact.work)
        for fact in facts
        if isinstance(fact, f.TimeLogged) and isinstance(fact.work, f.Clocked)
    ]
    for role, work in clocked:
        found |= _edges_of(work, zones)
        for other, meanwhile in clocked:
            if role != other and work.started_at < meanwhile.ended_at <= work.ended_at:
                found.add("roles-overlap")
    return found


def _edges_of(work: f.Clocked, zones: set[str]) -> set[str]:
    found = set()
    for name in zones:
        zone = ZoneInfo(name)
        ends = [datetime.fromtimestamp(at, zone) for at in (work.started_at, work.ended_at)]
        if ends[0].utcoffset() != ends[1].utcoffset():
            found.add("across-clock-change")
        if ends[0].month != ends[1].month:
            found.add("across-month-end")
    return found
