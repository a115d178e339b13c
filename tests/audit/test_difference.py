"""Two instants of one month: both answers, and who, when and why of what came between."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import facts as f
from domain.rules import BOOK
from infra.codec import instant_text
from infra.eventstore import open_store
from services.audit.difference import Effect, difference, members
from services.histories import history_of
from tests.audit.growing import DAY_US, FIRST_US, GrowingLog
from tests.given import NPI, event, ready, staff, visit, voided
from tests.services.command import Command, command
from tests.strategies import Scene, scenes

__all__ = ["command"]

MONTH = "2025-03"
THE_DAY_AFTER = FIRST_US + DAY_US
THE_END = FIRST_US + 9 * DAY_US


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    log = GrowingLog(store)
    log.take([*ready(MONTH), staff("t1", "2025-03-05", 1_260)], FIRST_US)
    yield log
    store.close()


def effects(log: GrowingLog, from_us: int = FIRST_US, to_us: int = THE_END) -> list[Effect]:
    history = history_of(log.store, None, "pt1", to_us)
    return list(difference(history, MONTH, from_us, to_us, BOOK, log.policy).effects)


def test_a_void_made_the_difference_and_what_lies_elsewhere_made_none(log: GrowingLog) -> None:
    log.take([staff("t9", "2025-04-02", 600)], THE_DAY_AFTER)
    log.take([voided("t1", "2025-03-08T12:00:00Z")], THE_DAY_AFTER + 5)
    elsewhere, void = effects(log)
    assert not elsewhere.made_difference
    assert (void.changed, void.decisive) == (void.decisive, void.changed)
    assert {"status", "codes", "payment", "seconds"} <= set(void.changed)
    assert (void.before.status, void.after.status) == ("billable", "accruing")
    assert (void.event.about, void.event.reason) == ("entry t1 voided", "wrong patient")
    assert void.event.time == "2025-03-08T12:00:00Z"
    assert void.event.recorded_at == instant_text(THE_DAY_AFTER + 5)


def test_of_two_that_do_the_same_the_first_changed_the_answer(log: GrowingLog) -> None:
    """Without either of them the answer would be the same, but it was the first that changed it."""
    log.take([voided("t1", "2025-03-08T12:00:00Z")], THE_DAY_AFTER)
    log.take([voided("t1", "2025-03-09T12:00:00Z")], THE_DAY_AFTER + 5)
    first, second = effects(log)
    assert first.changed
    assert first.decisive == second.decisive == second.changed == ()


def test_a_withdrawal_that_came_first_is_decisive_though_it_changed_nothing(
    log: GrowingLog,
) -> None:
    late = staff("t2", "2025-03-06", 2_000)
    fact = f.EventRetracted(late.source, late.id, "entered in error")
    log.take([event(fact, "2025-03-07T00:00:00Z")], THE_DAY_AFTER)
    log.take([late], THE_DAY_AFTER + 5)
    withdrawal, entry = effects(log)
    assert withdrawal.changed == ()
    assert {"codes", "seconds"} <= set(withdrawal.decisive)
    assert not entry.made_difference


def test_nothing_known_at_the_first_instant_is_said_so(log: GrowingLog) -> None:
    history = history_of(log.store, None, "pt1")
    found = difference(history, MONTH, FIRST_US - 1, FIRST_US, BOOK, log.policy)
    assert found.before is None
    assert "practice_id" not in found.changed
    assert [effect.made_difference for effect in found.effects] == [True] * 7


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.randoms(use_true_random=False))
def test_answers_that_differ_have_an_event_that_changed_them(scene: Scene, chance: object) -> None:
    """And each event that changed nothing and decides nothing can be left out without effect."""
    log = GrowingLog(open_store("memory:"), scene.policy)
    events = list(scene.events)
    chance.shuffle(events)  # type: ignore[attr-defined]
    for number, each in enumerate(events):
        log.take([each], FIRST_US + number * 10)
    history = history_of(log.store, None, "pt1")
    cut = FIRST_US + len(events) // 2 * 10
    for month in scene.months:
        found = difference(history, month, cut, THE_END, BOOK, scene.policy)
        assert len(found.effects) == len(events) - len(events) // 2 - 1
        if found.changed:
            assert any(effect.changed for effect in found.effects)
        if found.before is not None:
            assert found.changed == members(found.before, found.after)


class TestTheCommand:
    def ran(self, log: GrowingLog, command: Command, *args: str) -> str:
        log.take([event(f.MonthReopened(MONTH, "error"), "2025-04-02T00:00:00Z")], THE_DAY_AFTER)
        log.take([visit("2025-03-20", npi="1000000012")], THE_DAY_AFTER)
        amended = f.TimeAmended(
            "t1",
            f.Performer("rn7", f.Role.CLINICAL_STAFF),
            "care_coordination",
            f.Unclocked(ready(MONTH)[0].fact.effective_on.replace(month=3), 900),  # type: ignore
            "was 15 minutes",
        )
        log.take([event(amended, "2025-03-10T09:00:00Z")], THE_END)
        span = ["--from", instant_text(FIRST_US), "--to", instant_text(THE_END)]
        done = command("audit", "diff", "pt1", MONTH, *span, *args)
        assert (done.code, done.err) == (0, "")
        return done.out.decode()

    def test_text_names_who_when_and_why(self, log: GrowingLog, command: Command) -> None:
        page = self.ran(log, command)
        assert f"{instant_text(FIRST_US)}  billable 99490 60.49 USD   (7 events known)" in page
        assert f"{instant_text(THE_END)}  accruing   (10 events known)" in page
        made, _, none = page.partition("Recorded as well, without effect on this month")
        assert "time.amended.v1  entry t1, care_coordination: 900 s (15:00) on 2025-03-01" in made
        assert "who   rn7 (clinical_staff), told by urn:test:ehr" in made
        assert "said 2025-03-10T09:00:00Z, recorded 2025-03-15T22:26:40Z" in made
        assert "why   was 15 minutes" in made
        assert "visit.recorded.v1  visit 99214 on 2025-03-20" in none
        assert "claim for 2025-03 taken back" in none

    def test_json_holds_both_assessments_of_the_contract(
        self, log: GrowingLog, command: Command
    ) -> None:
        whole = json.loads(self.ran(log, command, "--json"))
        at = ("--as-of", instant_text(THE_END), "--month", MONTH)
        assert [whole["after"]] == command("assessments", *at).lines()
        assert whole["before"]["as_of"] == whole["from"] == instant_text(FIRST_US)
        told = {e["type"]: e for e in whole["events"]}
        assert told["time.amended.v1"]["made_difference"] is True
        assert told["time.amended.v1"]["performer"] == "rn7"
        assert told["visit.recorded.v1"]["made_difference"] is False
        assert told["visit.recorded.v1"]["npi"] == "1000000012"
        assert NPI not in {e["npi"] for e in whole["events"]}

    @pytest.mark.usefixtures("log")
    @pytest.mark.parametrize(
        ("args", "sentence"),
        [
            (["nobody", MONTH], "patient 'nobody' is not in the store"),
            (["pt1", "2025-3"], "MONTH: expected YYYY-MM"),
            (["pt1", MONTH, "--to", "2025-01-01T00:00:00Z"], "--from: expected an instant not"),
            (["pt1", MONTH, "--from", "noon"], "--from: expected an RFC 3339 instant"),
        ],
    )
    def test_what_cannot_be_compared_is_bad_input(
        self, command: Command, args: list[str], sentence: str
    ) -> None:
        span = ["--from", "2025-03-01T00:00:00Z", "--to", "2025-04-01T00:00:00Z"]
        done = command("audit", "diff", *span, *args)
        assert (done.code, done.out) == (2, b"")
        assert sentence in done.err
