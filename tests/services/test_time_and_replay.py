"""Whatever happens to a patient and whenever the clock is looked at: the log says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.alerts import Watched, to_raise
from domain.assess import reckon
from domain.facts import Month
from domain.patient import Patient, evolve, months_known
from domain.policy import Policy
from domain.rules import BOOK
from domain.time.calendar import months_possible
from infra.codec import decode_event, split_stream_id
from infra.eventstore.memory import MemoryStore
from projections.ports import Store
from services.wire.encode import to_cloudevent
from tests.services.timed import Timed, as_stored, replayed
from tests.stored import stream
from tests.strategies import ZONES, Scene, month_after, month_start, scenes
from tests.thoroughness import examples

THOROUGH = settings(
    max_examples=examples(150),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
DAY = 86_400
STEPS = (0, 60, 3_600, DAY // 2, DAY, 5 * DAY, 26 * DAY, 130 * DAY)


@st.composite
def stories(draw: st.DrawFn, new_store: Callable[[], Store] = MemoryStore) -> tuple[Scene, Timed]:
    """A patient's events taken a few at a time, in any order, live or as history; in between the
    clock goes on to some moment, often close to a local month end, and is mostly looked at."""
    scene = draw(scenes())
    margins = {"approaching_seconds": draw(st.sampled_from((0, 300, 1_200, 7_200)))}
    policy = Policy(**margins, at_risk_days=draw(st.sampled_from((0, 1, 5, 5, 10, 31))))
    timed = Timed("2000-01-01T00:00:00Z", new_store(), policy_of=lambda _: policy)
    now = int(_local(scene.months[0], "UTC", draw(st.integers(-5, 20))))
    timed.look(_odd(now))
    messages = draw(st.permutations([to_cloudevent(s) for s in stream(scene.events)]))
    while messages:
        count = draw(st.integers(1, 4))
        timed.say(*messages[:count], history=draw(st.booleans()))
        messages = messages[count:]
        now = _later(draw, scene, now)
        timed.now = _odd(now)
        if draw(st.sampled_from((True, True, False))):
            timed.look(timed.now)
    timed.look(timed.now + draw(st.sampled_from(STEPS)) + 3_600)
    return scene, timed


def _later(draw: st.DrawFn, scene: Scene, now: int) -> int:
    """A moment that is not before: some steps on, or near the end or the last days of a month."""
    if draw(st.booleans()):
        return now + draw(st.sampled_from(STEPS))
    month = month_after(draw(st.sampled_from(scene.months)))
    near = _local(month, draw(st.sampled_from(ZONES)), draw(st.sampled_from((0, 0, -5, -5, -1))))
    return max(now, int(near) + draw(st.sampled_from((-3_600, 0, 3_600))))


def _local(month: Month, zone: str, days: int) -> float:
    day = month_start(month) + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()


def _odd(instant: int) -> int:
    """Seven minutes past a quarter of an hour: beyond the grace that clocks are given."""
    return instant // 900 * 900 + 420


@THOROUGH
@given(stories())
def test_a_replay_of_the_log_decides_the_same_transitions(
    story: tuple[Scene, Timed],
) -> None:
    _, timed = story
    assert replayed(timed.store, timed.policy_of) == as_stored(timed.store)


@THOROUGH
@given(stories())
def test_after_a_look_at_the_clock_exactly_what_should_stand_raised_does(
    story: tuple[Scene, Timed],
) -> None:
    scene, timed = story
    for stream_id, loaded in timed.store.load(list(timed.store.versions())).items():
        patient = Patient(*split_stream_id(stream_id))
        for stored in loaded.events:
            evolve(patient, decode_event(stored))
        policy = timed.policy_of(patient.practice_id)
        stands = {
            Watched(s.month, s.type, s.code, s.unit)  # type: ignore[arg-type]
            for s in loaded.alerts
            if s.raised
        }
        now_months = months_possible(timed.now, timed.now) if patient.chart.spans else ()
        months = {*months_known(patient), *scene.months, *now_months, *(w.month for w in stands)}
        reckoned = [reckon(patient, month, BOOK, policy) for month in months]
        assert stands == _should_stand(stands, months_known(patient), reckoned, policy, timed.now)


def _should_stand(
    stands: set[Watched],
    known: set[Month],
    reckoned: Sequence[object],
    policy: Policy,
    now: int,
) -> set[Watched]:
    """What should stand; of months in which nothing happened yet only what time raises."""
    wanted = {w for month in reckoned for w in to_raise(month, policy, now)}  # type: ignore[arg-type]
    return {w for w in wanted if w.month in known or w in stands or w.type == "month.at-risk"}


@THOROUGH
@given(stories())
def test_a_resolution_is_silent_exactly_where_its_raise_was(
    story: tuple[Scene, Timed],
) -> None:
    _, timed = story
    raises: dict[str, str | None] = {}
    for row in timed.store.transitions(0, 100_000):
        if row.state.raised:
            raises[row.state.alert_id] = row.suppressed
            assert row.suppressed in (None, "history", "month-long-over")
        else:
            silent = raises.pop(row.state.alert_id) is not None
            assert row.suppressed == ("never-raised" if silent else None)


@THOROUGH
@given(stories())
def test_only_what_changed_an_alert_was_ticked(story: tuple[Scene, Timed]) -> None:
    _, timed = story
    causes = {key for rows in as_stored(timed.store).values() for key, *_ in rows}
    for stored in timed.ticks():
        assert decode_event(stored).key in causes
