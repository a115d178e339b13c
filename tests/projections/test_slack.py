"""Slack spares reckonings and changes no answer: every transition is as if it were not there."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import UTC, date, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts import Transition
from domain.event import Event
from domain.facts import Clocked, Instant, Month, Performer, Role, ServiceBilled, TimeLogged
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from domain.slack import Slack
from projections.live import MICROSECONDS, LivePatient
from tests.given import NPI, clocked, event, instant, ready, staff
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
    for said in ready("2025-03"):
        live.take(said, now, BOOK, Policy())
    live.take(staff("t0", "2025-03-03", 60), now, BOOK, Policy())
    assert not live._reckoned
    for number in range(1, 6):
        day = f"2025-03-0{number}"
        said = clocked(f"t{number}", f"{day}T15:00:00Z", f"{day}T15:01:40Z")
        live.take(said, now, BOOK, Policy())
        assert not live._reckoned
    answer = live.answer("2025-03", BOOK, Policy())
    assert answer is not None
    assert answer.seconds.clinical_staff == 560


def first_entry(at: str, *before: Event, told: str = "2025-03-01T12:00:00Z") -> set[str]:
    """The alerts that a first entry of March raises or (-) resolves `at` an instant, of a ready
    patient of whom another process was `told` the rest."""
    other, stood = LivePatient(Patient("p1", "pt1")), {}
    for said in [*ready("2025-03"), *before]:
        _, changes = other.take(said, instant(told) * MICROSECONDS, BOOK, Policy())
        stood.update((change.watched, change.standing) for change in changes)
    live = LivePatient(other.patient, stood.items())
    said = clocked("t0", "2025-03-03T15:00:00Z", "2025-03-03T15:01:00Z")
    _, changes = live.take(said, instant(at) * MICROSECONDS, BOOK, Policy())
    return {f"{'' if change.raised else '-'}{change.watched.type.value}" for change in changes}


def test_a_first_entry_is_decided_where_the_month_is_about_to_end() -> None:
    """27 March begins in New York at 04:00 UTC; from then on the month is at risk."""
    assert first_entry("2025-03-27T03:59:59Z") == set()
    assert first_entry("2025-03-27T04:00:00Z") == {"month.at-risk"}
    assert first_entry("2025-04-01T03:59:59Z") == {"month.at-risk"}
    assert first_entry("2025-04-01T04:00:00Z") == set()


def test_a_first_entry_resolves_what_was_raised_before_the_month_was_over() -> None:
    assert first_entry("2025-04-20T12:00:00Z", told="2025-03-28T12:00:00Z") == {"-month.at-risk"}


def test_a_first_entry_is_decided_where_another_service_reaches_into_the_month() -> None:
    service = ServiceBilled("G0181", date(2025, 2, 20), date(2025, 3, 5), NPI)
    billed = event(service, "2025-03-05T12:00:00Z")
    assert first_entry("2025-03-10T12:00:00Z", billed) == {"conflict.detected"}
