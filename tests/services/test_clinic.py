"""The simulated clinic tells the same story every time, and the product agrees with its moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice

import pytest

from domain.assess import assess
from domain.assess.assessment import Assessment, Status
from domain.patient import Duplicate, Patient, Refused, decide, evolve
from domain.policy import Policy
from domain.rejections import Reason, Rejection
from domain.rules import BOOK
from services.demo.clinic import Clinic
from services.demo.day import Moment, Told
from services.demo.vocabulary import Message, month_of, to_line
from services.wire.decode import Accepted, decode_structured

DAYS = [date(2026, 11, 24), date(2026, 11, 1), date(2025, 3, 31), date(2024, 2, 29)]
TODAY = DAYS[0]
MINUTE_OF_DEMO = 240
"""Messages that a one-minute demo shows."""

FATES: dict[Moment | None, str] = {
    Moment.BAD_EVENT: Reason.ENDS_BEFORE_START.value,
    Moment.DUPLICATE: "duplicate",
}
"""What becomes of the moments that are not simply accepted."""


class Panel:
    """Patients folded from messages, as the product would fold them."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self.patients: dict[str, Patient] = {}
        for said in messages:
            self.take(said)

    def take(self, said: Message) -> str:
        """What became of the message: accepted, duplicate, or the reason of its refusal."""
        decoded = decode_structured(to_line(said))
        if isinstance(decoded, Rejection):
            return decoded.reason.value
        event = decoded.event
        patient = self.patients.setdefault(
            event.patient_id, Patient(event.practice_id, event.patient_id)
        )
        decision = decide(patient, event)
        if isinstance(decision, Refused):
            return "refused"
        if isinstance(decision, Duplicate):
            return "duplicate"
        evolve(patient, event)
        return "accepted"

    def month(self, patient_id: str, month: str) -> Assessment:
        return assess(self.patients[patient_id], month, BOOK, Policy())

    def months(self, month: str) -> Iterator[Assessment]:
        yield from (self.month(patient_id, month) for patient_id in self.patients)


def units(assessment: Assessment) -> dict[str, int]:
    return {line.code: line.units for line in assessment.codes}


def until(stream: Iterator[Told], moment: Moment, panel: Panel) -> Told:
    """Take the stream into the panel up to, not including, the first such moment."""
    for told in stream:
        if told.moment is moment:
            return told
        panel.take(told.event)
    raise AssertionError(f"{moment} never came")


@pytest.mark.parametrize("today", DAYS)
def test_the_same_seed_and_day_give_the_same_bytes(today: date) -> None:
    once, again = Clinic(7, today, patients=80), Clinic(7, today, patients=80)
    assert [*map(to_line, once.history())] == [*map(to_line, again.history())]
    live = [(told.moment, to_line(told.event)) for told in once.live()]
    assert live == [(told.moment, to_line(told.event)) for told in again.live()]
    assert live == [(told.moment, to_line(told.event)) for told in once.live()]


def test_another_seed_gives_another_clinic() -> None:
    assert list(Clinic(1, TODAY).history()) != list(Clinic(2, TODAY).history())


def test_a_panel_too_small_for_the_story_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="patients: expected 60 or more, got 10"):
        Clinic(1, TODAY, patients=10)


@pytest.mark.parametrize("today", DAYS)
def test_every_message_is_accepted_except_the_scripted_bad_ones(today: date) -> None:
    clinic = Clinic(7, today)
    panel = Panel([])
    fates = Counter(panel.take(said) for said in clinic.history())
    assert set(fates) == {"accepted", "duplicate"}
    for told in clinic.live():
        fate = panel.take(told.event)
        assert fate == FATES.get(told.moment, "accepted")


@pytest.mark.parametrize("today", DAYS)
def test_history_is_in_order_and_today_follows_it(today: date) -> None:
    clinic = Clinic(7, today)
    live = [told for told in clinic.live() if told.moment is not Moment.DUPLICATE]
    times = [told.event["time"] for told in live]
    assert times == sorted(times)
    assert max(said["time"] for said in clinic.history()) < times[0]


@pytest.mark.parametrize("today", DAYS)
def test_each_moment_comes_within_the_first_minute_of_a_demo(today: date) -> None:
    told = list(islice(Clinic(7, today).live(), MINUTE_OF_DEMO))
    assert {one.moment for one in told} == {None, *Moment}


def test_history_holds_every_status_a_practice_would_meet() -> None:
    panel = Panel(Clinic(7, TODAY).history())
    statuses = Counter(
        answer.status
        for month in ("2026-09", "2026-10", "2026-11")
        for answer in panel.months(month)
    )
    assert {Status.CLAIMED, Status.BILLABLE, Status.BLOCKED, Status.ACCRUING} <= set(statuses)
    assert statuses[Status.CLAIMED] > 20
    assert statuses[Status.DIVERGED] == 0


def test_history_holds_every_kind_of_blocker_and_overlap() -> None:
    panel = Panel(Clinic(7, TODAY).history())
    answers = list(panel.months("2026-10"))
    blockers = {blocker for answer in answers for blocker in answer.blockers}
    assert blockers == {
        "billed-elsewhere",
        "care-plan-missing",
        "competing-service",
        "conditions-fewer-than-two",
        "consent-missing",
        "initiating-visit-missing",
    }
    reasons = {line.reason for answer in answers for line in answer.excluded}
    assert {"overlap", "other-program", "not-countable", "before-consent"} <= reasons


@pytest.mark.parametrize("today", DAYS)
def test_a_minute_of_demo_takes_many_patients_over_a_level(today: date) -> None:
    clinic = Clinic(7, today)
    panel, month = Panel(clinic.history()), month_of(today)
    before = sum(sum(units(answer).values()) for answer in panel.months(month))
    for told in islice(clinic.live(), MINUTE_OF_DEMO):
        panel.take(told.event)
    after = sum(sum(units(answer).values()) for answer in panel.months(month))
    assert after - before >= 25


@pytest.mark.parametrize("today", DAYS)
def test_the_late_correction_takes_a_code_back(today: date) -> None:
    clinic, month = Clinic(7, today), month_of(today)
    panel, stream = Panel(clinic.history()), clinic.live()
    told = until(stream, Moment.LATE_CORRECTION, panel)
    patient_id = told.event["subject"]
    assert "99490" in units(panel.month(patient_id, month))
    panel.take(told.event)
    assert units(panel.month(patient_id, month)) == {}


def test_the_duplicate_is_the_same_line_again_and_changes_nothing() -> None:
    told = list(islice(Clinic(7, TODAY).live(), MINUTE_OF_DEMO))
    again = next(n for n, one in enumerate(told) if one.moment is Moment.DUPLICATE)
    assert to_line(told[again].event) in [to_line(one.event) for one in told[:again]]


@pytest.mark.parametrize("today", DAYS)
def test_the_late_fact_unblocks_a_past_month(today: date) -> None:
    clinic = Clinic(7, today)
    panel, stream = Panel(clinic.history()), clinic.live()
    told = until(stream, Moment.LATE_FACT, panel)
    patient_id = told.event["subject"]
    past = month_of(date.fromordinal(today.replace(day=1).toordinal() - 1))
    assert panel.month(patient_id, past).status is Status.BLOCKED
    panel.take(told.event)
    assert panel.month(patient_id, past).status is Status.BILLABLE


def test_no_name_of_a_person_is_ever_said() -> None:
    decoded = [decode_structured(to_line(said)) for said in Clinic(7, TODAY).history()]
    events = [one.event for one in decoded if isinstance(one, Accepted)]
    assert all(event.patient_id.startswith("pt-") for event in events)
