"""Slack spares reckonings and changes no answer: every transition is as if it were not there."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import UTC, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts import Transition
from domain.event import Event
from domain.facts import Clocked, Instant, Month, Performer, Role, TimeLogged
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from domain.slack import Slack
from projections.live import MICROSECONDS, LivePatient
from tests.given import clocked, event, instant, ready, staff
from tests.strategies import Scene, month_start, scenes
from tests.thoroughness import examples

DAY = 86_400


class Careful(LivePatient):
    """Reckons every month that an event may bear on, whatever was known before."""

    __slots__ = ()

    def _within_slack(self, *_: object) -> Set[Month] | None:
        return None

    def _outlasting(self, *_: object) -> dict[Month, Slack]:
        return {}


def short_entries(draw: st.DrawFn, month: Month) -> list[Event]:
    """Many small contacts, some of which share seconds."""
    begin = int(datetime.combine(month_start(month), time(), UTC).timestamp())
    found = []
    for number in range(draw(st.integers(0, 25))):
        start = begin + draw(st.integers(-1, 32)) * DAY + 43_200 + draw(st.integers(0, 900))
        work = Clocked(start, start + draw(st.integers(20, 700)))
        role = draw(st.sampled_from([Role.CLINICAL_STAFF] * 5 + [Role.BILLING_PRACTITIONER]))
        fact = TimeLogged(f"n{number}", Performer("x", role), "care_coordination", work)
        found.append(event(fact, work.ended_at + 60, id=f"n{number}", source="short"))
    return found


@settings(max_examples=examples(150), deadline=None)
@given(scenes(), st.data())
def test_every_transition_is_decided_as_if_nothing_were_spared(
    scene: Scene, data: st.DataObject
) -> None:
    month = scene.months[1]
    told = [*scene.events, *short_entries(data.draw, month)]  # type: ignore[arg-type]
    told = data.draw(st.permutations(told))
    begin = int(datetime.combine(month_start(month), time(), UTC).timestamp())
    now = begin + data.draw(st.sampled_from([-5, 3, 20, 26, 29, 33])) * DAY
    margin = data.draw(st.sampled_from([0, 60, 300, 1_500]))
    policy = replace(scene.policy, approaching_seconds=margin)
    quick, careful = (kind(Patient("p1", "pt1")) for kind in (LivePatient, Careful))
    for said in told:
        now += data.draw(st.sampled_from([0, 1, 1, 3_600, DAY, 3 * DAY]))
        assert taken(quick, said, now, policy) == taken(careful, said, now, policy)
    for each in scene.months:
        assert quick.answer(each, BOOK, policy) == careful.answer(each, BOOK, policy)


def taken(
    live: LivePatient, said: Event, now: Instant, policy: Policy
) -> tuple[set[Month], list[Transition]]:
    months, changes = live.take(said, now * MICROSECONDS, BOOK, policy)
    return set(months), changes


def test_entries_far_from_any_threshold_are_only_counted() -> None:
    """What slack is for: without it this test would reckon after every entry."""
    live = LivePatient(Patient("p1", "pt1"))
    now = instant("2025-03-10T12:00:00Z") * MICROSECONDS
    for said in [*ready("2025-03"), staff("t0", "2025-03-03", 60)]:
        live.take(said, now, BOOK, Policy())
    for number in range(1, 6):
        day = f"2025-03-0{number}"
        said = clocked(f"t{number}", f"{day}T15:00:00Z", f"{day}T15:01:40Z")
        live.take(said, now, BOOK, Policy())
        assert not live._reckoned
    answer = live.answer("2025-03", BOOK, Policy())
    assert answer is not None
    assert answer.seconds.clinical_staff == 560
