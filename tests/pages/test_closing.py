"""Closing a month: what is shown, what an act does, and that it is whole or not at all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.codec import decode_event
from infra.eventstore import open_store
from services.audit.telling import told
from services.histories import history_of
from services.ingest import Busy, Delivery, Ingest, Outcome
from services.pages.close.acting import perform
from services.pages.close.export import claim_lines, lines_csv
from services.pages.close.sections import CLAIMS_MAX, ROWS_MAX, Close, close_of, standing
from services.pages.close.selecting import BadSelection, Selected, Stale, selection
from tests.audit.growing import GrowingLog
from tests.given import ready, staff, voided
from tests.pages.closing import MONTH, TODAY, act, closing, core, of, row_of, selected
from tests.thoroughness import examples


@pytest.fixture
def log() -> GrowingLog:
    return closing(open_store("memory:"))


def shown(log: GrowingLog, month: str = MONTH) -> Close:
    return close_of(log.parts, "p1", month, TODAY, {})


def names(found: Sequence[Any]) -> list[str]:
    return [row.patient_id for row in found]


class TestSections:
    def test_each_month_stands_in_the_section_of_its_state(self, log: GrowingLog) -> None:
        close = shown(log)
        assert names(close.ready.shown) == ["other", "ready"]
        assert names(close.claimed.shown) == ["claimed"]
        assert names(close.blocked.shown) == ["blocked"]
        assert [each.row.patient_id for each in close.fallen] == ["fallen"]
        assert close.ready.dollars == Decimal("166.91")

    def test_a_month_that_still_runs_is_told_from_one_that_is_over(self, log: GrowingLog) -> None:
        log.take(of("ready", [staff("t9", "2025-04-02", 1_260)]), log.now_us)
        close = shown(log, "2025-04")
        assert (names(close.running.shown), names(close.ready.shown)) == (["ready"], [])

    def test_blocked_months_say_by_what_and_what_they_would_be_worth(self, log: GrowingLog) -> None:
        (row,) = shown(log).blocked.shown
        assert row.blockers == ("consent-missing",)
        assert row.dollars == Decimal("106.42")

    def test_a_diverged_claim_says_what_is_at_stake_since_when_and_until_when(
        self, log: GrowingLog
    ) -> None:
        (fallen,) = shown(log).fallen
        assert fallen.item.at_stake.dollars == Decimal("45.93") == shown(log).overpaid
        assert fallen.item.first_known == "2025-04-03T12:00:00Z"
        assert (fallen.item.deadline, fallen.days_left) == (date(2025, 6, 2), 59)

    def test_older_months_that_were_never_claimed_are_named(self, log: GrowingLog) -> None:
        (older,) = shown(log).others
        assert (older.month, older.unclaimed, older.dollars) == ("2025-02", 1, Decimal("60.49"))
        assert [each.diverged for each in shown(log, "2025-02").others] == [1]

    def test_a_claimed_month_shows_its_claim(self, log: GrowingLog) -> None:
        (found,) = standing(log.parts, "p1", shown(log).claimed.shown)
        assert found.claim.about == "claim c1 for 2025-03: 99490 submitted on 2025-04-02"

    def test_a_long_section_is_shown_part_by_part(self, log: GrowingLog) -> None:
        whole = shown(log).ready
        assert (whole.before, whole.after) == (None, None)
        many = replace(whole, all=[whole.all[0]] * (ROWS_MAX + 3))
        assert (len(many.shown), many.after) == (ROWS_MAX, ROWS_MAX)
        rest = replace(many, begin=ROWS_MAX)
        assert (len(rest.shown), rest.before, rest.after) == (3, 0, None)
        assert shown(log).claimed.rows_max == CLAIMS_MAX


class TestAnAct:
    def test_months_are_claimed_as_they_were_shown_with_who_and_why(self, log: GrowingLog) -> None:
        assert perform(log.parts, core(log), act(log, "ready", "other")) == 2
        assert [row_of(log, p).status for p in ("ready", "other")] == ["claimed", "claimed"]
        event = list(told(history_of(log.store, "p1", "ready"), "UTC").values())[-1]
        assert event.type == "month.claimed.v1"
        assert (event.by, event.reason, event.source) == (
            "Ada Byron",
            "month close",
            "urn:caretally:pages",
        )
        assert "99490 + 99439 submitted on 2025-04-04" in event.about

    def test_a_claim_is_taken_back_with_who_and_why(self, log: GrowingLog) -> None:
        perform(log.parts, core(log), act(log, "claimed", "fallen", kind="reopen"))
        assert [row_of(log, p).status for p in ("claimed", "fallen")] == ["billable", "billable"]

    def test_a_diverged_month_is_claimed_as_it_is_supported(self, log: GrowingLog) -> None:
        perform(log.parts, core(log), act(log, "fallen"))
        assert row_of(log, "fallen").status == "claimed"
        assert shown(log).fallen == ()

    def test_within_one_second_the_last_word_stands(self, log: GrowingLog) -> None:
        """A clock that stands still does not let an earlier word win, nor does one that a feed's
        clock was ahead of."""
        for _ in range(3):
            perform(log.parts, core(log), act(log, "ready", id=uuid4()))
            assert row_of(log, "ready").status == "claimed"
            perform(log.parts, core(log), act(log, "ready", kind="reopen", id=uuid4()))
            assert row_of(log, "ready").status == "billable"

    def test_the_same_act_twice_is_one(self, log: GrowingLog) -> None:
        """A form sent again, by a double click or a reload, does nothing and is no error."""
        once = act(log, "ready", "other")
        assert perform(log.parts, core(log), once) == 2
        head = log.store.head()
        assert perform(log.parts, core(log), once) == 2
        assert log.store.head() == head

    @pytest.mark.parametrize(
        ("patient", "kind", "why"),
        [
            ("claimed", "claim", "it is claimed already"),
            ("blocked", "claim", "nothing is supported"),
            ("ready", "reopen", "no claim stands on it"),
        ],
    )
    def test_what_cannot_be_done_is_refused_and_named(
        self, log: GrowingLog, patient: str, kind: Any, why: str
    ) -> None:
        with pytest.raises(Stale) as raised:
            perform(log.parts, core(log), act(log, patient, kind=kind))
        (refused,) = raised.value.refused
        assert refused.patient_id == patient
        assert why in refused.why

    def test_a_month_that_changed_since_is_named_and_no_other_is_claimed(
        self, log: GrowingLog
    ) -> None:
        chosen = selected(log, "ready", "other")
        log.take(of("other", [staff("t8", "2025-03-20", 60)]), log.now_us)
        head = log.store.head()
        with pytest.raises(Stale) as raised:
            perform(log.parts, core(log), act(log, chosen=chosen))
        (refused,) = raised.value.refused
        assert (refused.patient_id, refused.why) == (
            "other",
            "changed since the page was shown; it is billable now",
        )
        assert log.store.head() == head

    def test_what_another_month_of_the_patient_gained_is_no_change(self, log: GrowingLog) -> None:
        chosen = selected(log, "ready")
        log.take(of("ready", [staff("t8", "2025-04-01", 60)]), log.now_us)
        assert perform(log.parts, core(log), act(log, chosen=chosen)) == 1

    def test_a_month_that_is_gone_is_named(self, log: GrowingLog) -> None:
        chosen = selected(log, "other")
        log.take(of("other", [voided("t1", "2025-04-04T11:00:00Z")]), log.now_us)
        with pytest.raises(Stale) as raised:
            perform(log.parts, core(log), act(log, chosen=chosen))
        assert raised.value.refused[0].why == "has nothing to bill any more"


class Meddling(Ingest):
    """An ingest core in whose way other writers come, between the reading and the writing."""

    def __init__(self, log: GrowingLog, meddle: Sequence[Any]) -> None:
        settings = log.parts.settings
        super().__init__(log.store, log.parts.clock, log.parts.book, settings.policy_of)
        self.meddle = list(meddle)
        self.log = log

    def take(self, deliveries: Sequence[Delivery], *rest: Any, **options: Any) -> Outcome:
        if self.meddle:
            self.log.take(self.meddle.pop(0), self.log.now_us)
        return super().take(deliveries, *rest, **options)


class TestARace:
    def test_what_comes_between_reading_and_writing_is_seen(self, log: GrowingLog) -> None:
        chosen = selected(log, "ready", "other")
        late = of("other", [staff("t8", "2025-03-20", 60)])
        with pytest.raises(Stale):
            perform(log.parts, Meddling(log, [late]), act(log, chosen=chosen))
        assert row_of(log, "ready").status == "billable"

    def test_what_does_not_matter_only_makes_it_begin_anew(self, log: GrowingLog) -> None:
        late = of("other", [staff("t8", "2025-04-02", 60)])
        assert perform(log.parts, Meddling(log, [late]), act(log, "ready", "other")) == 2

    def test_a_patient_who_never_rests_makes_it_give_up_with_nothing_done(
        self, log: GrowingLog
    ) -> None:
        late = [of("other", [staff(f"u{n}", "2025-04-02", 60)]) for n in range(9)]
        with pytest.raises(Busy):
            perform(log.parts, Meddling(log, late), act(log, "ready", "other"))
        assert row_of(log, "ready").status == "billable"


@settings(max_examples=examples(60), deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_act_takes_all_that_was_shown_or_nothing(chance: random.Random) -> None:
    """Whatever comes in between showing and acting, and between reading and writing: after an act
    every selected month is claimed as it was shown, or the log holds nothing of the act."""
    log = GrowingLog(open_store("memory:"))
    patients = [f"pt{n}" for n in range(chance.randint(1, 5))]
    for patient in patients:
        seconds = chance.choice((600, 1_200, 1_260, 2_400))
        log.take(of(patient, [*ready(MONTH), staff("t1", "2025-03-05", seconds)]), 10**15 * 2)
    billable = [p for p in patients if row_of(log, p).status == "billable"]
    chosen = selected(log, *billable)
    before = {p: row_of(log, p).codes for p in billable}

    def some(round: int) -> list[Any]:
        return [
            each
            for patient in chance.sample(patients, chance.randint(0, len(patients)))
            for each in of(
                patient, [staff(f"x{round}", f"2025-0{chance.choice((3, 4))}-20", 1_200)]
            )
        ]

    if chance.random() < 0.5:
        log.take(some(0), log.now_us)
    try:
        perform(log.parts, Meddling(log, [some(n) for n in range(1, 4)]), act(log, chosen=chosen))
    except (Stale, Busy):
        names = {event.name for event in log.store.log(0, 10_000)}
        assert "month.claimed.v1" not in names
    else:
        for patient in billable:
            history = history_of(log.store, "p1", patient)
            stands = history.patient().chart.claims[MONTH].fact
            assert stands.codes == before[patient]  # type: ignore[union-attr]
            assert row_of(log, patient).status == "claimed"


class TestTheSelection:
    def test_it_is_what_the_checkboxes_carry(self, log: GrowingLog) -> None:
        chosen = selected(log, "ready", "other")
        assert list(selection(one.text for one in chosen)) == chosen
        odd = Selected("a/b:c é%", "00ff")
        assert selection([odd.text, odd.text]) == (odd,)

    @pytest.mark.parametrize("texts", [[], ["ready"], [":ff"], ["ready:"], ["a:ff", "a:fe"]])
    def test_anything_else_is_refused(self, texts: list[str]) -> None:
        with pytest.raises(BadSelection):
            selection(texts)


class TestTheExport:
    def test_lines_add_up_to_what_the_page_shows(self, log: GrowingLog) -> None:
        lines = claim_lines(log.parts, "p1", MONTH, selected(log, "ready", "other"))
        assert [(line.patient_id, line.code, line.units, line.amount) for line in lines] == [
            ("ready", "99490", 1, "60.49"),
            ("ready", "99439", 1, "45.93"),
            ("other", "99490", 1, "60.49"),
        ]
        one = lines[0]
        assert (one.practitioner_npi, one.date_of_service) == ("1000000004", "2025-03-06")
        assert (one.diagnosis_1, one.diagnosis_2, one.diagnosis_3) == ("E11.9", "I10", "")
        assert sum(Decimal(line.amount) for line in lines) == shown(log).ready.dollars

    def test_no_cell_is_a_formula(self, log: GrowingLog) -> None:
        odd = '=HYPERLINK("x")'
        log.take(of(odd, [*ready(MONTH), staff("t1", "2025-03-05", 1_260)]), log.now_us)
        text = lines_csv(claim_lines(log.parts, "p1", MONTH, selected(log, odd))).decode()
        assert '"\'=HYPERLINK(""x"")"' in text
        assert text.splitlines()[0].startswith("practice_id,practitioner_npi,")

    def test_months_that_changed_are_not_exported(self, log: GrowingLog) -> None:
        chosen = selected(log, "ready")
        log.take(of("ready", [staff("t8", "2025-03-20", 60)]), log.now_us)
        with pytest.raises(Stale):
            claim_lines(log.parts, "p1", MONTH, chosen)


def test_every_claim_by_hand_is_an_event_like_any_other(log: GrowingLog) -> None:
    """It decodes, it is chained, and the worklist and alerts see it."""
    perform(log.parts, core(log), act(log, "ready", id=UUID(int=7 << 76 | 8 << 60)))
    stored = log.store.log(log.store.head() - 1, 1)
    assert decode_event(stored[0]).fact.submitted_on == TODAY  # type: ignore[union-attr]
