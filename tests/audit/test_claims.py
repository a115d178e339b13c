"""The worklist of claims: the right months, the dollars at stake, the day the clock began."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain import facts as f
from domain.event import Event
from infra.codec import instant_text
from infra.eventstore import open_store
from services.audit.claims import Item, Kind, worklist
from tests.audit.growing import DAY_US, GrowingLog
from tests.given import event, five_pm, ready, staff, voided
from tests.services.command import Command, command

__all__ = ["command"]

MONTH = "2025-03"
BEGIN_US = 1_743_508_800_000_000
"""2025-04-01T12:00:00Z: the month is over everywhere."""
ONE_HOUR_US = 3_600_000_000


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    log = GrowingLog(store)
    log.take([*ready(MONTH), staff("t1", "2025-03-05", 1_260)], BEGIN_US)
    log.take([staff("t2", "2025-03-06", 1_200)], BEGIN_US)
    yield log
    store.close()


def claim(*codes: str, on: str = "2025-04-02", claim_id: str = "c1", month: str = MONTH) -> Event:
    lines = tuple(f.CodeUnits(code, 1) for code in codes)
    return event(f.MonthClaimed(month, lines, claim_id, date.fromisoformat(on)), five_pm(on))


def of_patient(events: list[Event], patient: str, practice: str = "p1") -> list[Event]:
    moved = (replace(e, patient_id=patient, practice_id=practice) for e in events)
    return [replace(e, id=f"{patient}-{e.id}") for e in moved]


def only(log: GrowingLog, **asked: object) -> Item:
    (item,) = worklist(log.parts, **asked)  # type: ignore[arg-type]
    return item


class TestAClaimNoLongerSupported:
    """2,460 seconds were claimed as 99490 + 99439; then an entry was voided."""

    @pytest.fixture(autouse=True)
    def diverge(self, log: GrowingLog) -> None:
        log.take([claim("99490", "99439")], BEGIN_US + DAY_US)
        log.take([voided("t2", "2025-04-03T12:00:00Z")], BEGIN_US + 2 * DAY_US)
        log.take([staff("t3", "2025-03-07", 60)], BEGIN_US + 5 * DAY_US)

    def test_it_is_listed_with_both_amounts_and_the_difference(self, log: GrowingLog) -> None:
        item = only(log)
        assert item.kind is Kind.DIVERGED
        assert item.claim is not None
        assert item.claim.codes == (f.CodeUnits("99490", 1), f.CodeUnits("99439", 1))
        assert item.supported.codes == (f.CodeUnits("99490", 1),)
        assert (
            item.claim.amount.dollars,
            item.supported.amount.dollars,
            item.at_stake.dollars,
        ) == (
            Decimal("106.42"),
            Decimal("60.49"),
            Decimal("45.93"),
        )

    def test_the_clock_began_when_the_log_learnt_of_it(self, log: GrowingLog) -> None:
        item = only(log)
        assert item.first_known == item.diverged_since == instant_text(BEGIN_US + 2 * DAY_US)
        assert item.deadline == date(2025, 6, 2)

    def test_late_entries_are_named(self, log: GrowingLog) -> None:
        assert [e.about for e in only(log).late] == ["entry t2 voided"]
        log.take(
            [replace(staff("t4", "2025-03-08", 60), time=five_pm("2025-04-10"))],
            BEGIN_US + 10 * DAY_US,
        )
        abouts = [e.about for e in only(log).late]
        assert len(abouts) == 2
        assert any(said.startswith("entry t4, care_coordination: 60 s") for said in abouts)

    def test_before_it_was_known_nothing_is_listed(self, log: GrowingLog) -> None:
        assert worklist(log.parts, as_of_us=BEGIN_US + 2 * DAY_US - 1) == []
        assert only(log, as_of_us=BEGIN_US + 2 * DAY_US).kind is Kind.DIVERGED

    def test_restored_facts_take_it_off_and_a_new_fault_keeps_the_first_day(
        self, log: GrowingLog
    ) -> None:
        log.take([staff("t5", "2025-03-09", 1_200)], BEGIN_US + 6 * DAY_US)
        assert [item.kind for item in worklist(log.parts)] == [Kind.LATE]
        log.take([voided("t5", "2025-04-20T12:00:00Z")], BEGIN_US + 20 * DAY_US)
        item = only(log)
        assert item.first_known == instant_text(BEGIN_US + 2 * DAY_US)
        assert item.diverged_since == instant_text(BEGIN_US + 20 * DAY_US)
        assert item.deadline == date(2025, 6, 2)

    def test_a_corrected_claim_begins_a_clock_of_its_own(self, log: GrowingLog) -> None:
        log.take([claim("99490", on="2025-04-08", claim_id="c2")], BEGIN_US + 7 * DAY_US)
        assert worklist(log.parts) == []
        log.take([voided("t1", "2025-04-30T12:00:00Z")], BEGIN_US + 30 * DAY_US)
        item = only(log)
        assert item.claim is not None
        assert item.claim.claim_id == "c2"
        assert item.first_known == instant_text(BEGIN_US + 30 * DAY_US)
        assert item.at_stake.dollars == Decimal("60.49")

    def test_what_one_transaction_stored_was_known_at_once(self, log: GrowingLog) -> None:
        """A claim and its support that came in one batch were never apart."""
        events = [*ready(MONTH), claim("99490"), staff("t1", "2025-03-05", 1_260)]
        log.take(of_patient(events, "pt2"), BEGIN_US + 8 * DAY_US)
        assert [item.patient_id for item in worklist(log.parts)] == ["pt1"]


def test_a_claim_for_less_than_is_supported_has_nothing_to_return(log: GrowingLog) -> None:
    log.take([claim("99490")], BEGIN_US + DAY_US)
    item = only(log)
    assert (item.kind, item.at_stake.dollars, item.deadline) == (
        Kind.DIVERGED,
        Decimal("-45.93"),
        None,
    )


def test_a_claimed_code_without_a_figure_keeps_its_deadline_and_says_why(log: GrowingLog) -> None:
    log.take([claim("12345")], BEGIN_US + DAY_US)
    item = only(log)
    assert item.at_stake.dollars is None
    assert item.at_stake.missing == (
        "12345: not known: relative value units of 12345 on 2025-03-06"
    )
    assert item.deadline == date(2025, 6, 1)


def test_an_earned_month_that_is_over_and_never_claimed_is_listed(log: GrowingLog) -> None:
    item = only(log)
    assert (item.kind, item.claim, item.first_known) == (Kind.UNCLAIMED, None, None)
    assert item.at_stake.dollars == Decimal("106.42")
    log.now_us = BEGIN_US - 10 * DAY_US
    assert worklist(log.parts) == []


def test_a_month_is_over_when_it_is_over_where_the_patient_lives(log: GrowingLog) -> None:
    log.now_us = BEGIN_US - 9 * ONE_HOUR_US
    assert worklist(log.parts) == []
    log.now_us = BEGIN_US - 8 * ONE_HOUR_US
    assert only(log).kind is Kind.UNCLAIMED


def test_a_claim_taken_back_is_told_from_one_never_made(log: GrowingLog) -> None:
    log.take([claim("99490")], BEGIN_US + DAY_US)
    log.take(
        [event(f.MonthReopened(MONTH, "wrong code"), "2025-04-09T00:00:00Z")],
        BEGIN_US + 2 * DAY_US,
    )
    assert only(log).kind is Kind.REOPENED


def test_the_most_urgent_come_first_and_filters_hold(log: GrowingLog) -> None:
    for number, patient in enumerate(("pt8", "pt7")):
        events = [*ready(MONTH), staff("t1", "2025-03-05", 1_260)]
        events += [claim("99490", "99439")]
        log.take(of_patient(events, patient, "p2"), BEGIN_US + (8 + number) * DAY_US)
    found = worklist(log.parts)
    assert [item.patient_id for item in found] == ["pt8", "pt7", "pt1"]
    assert [i.patient_id for i in worklist(log.parts, practices=["p1"])] == ["pt1"]
    assert worklist(log.parts, month="2025-02") == []


class TestTheCommand:
    def test_text_says_what_is_at_stake_and_until_when(
        self, log: GrowingLog, command: Command
    ) -> None:
        log.take([claim("99490", "99439")], BEGIN_US + DAY_US)
        log.take([voided("t2", "2025-04-03T12:00:00Z")], BEGIN_US + 2 * DAY_US)
        page = command("audit", "claims").out.decode()
        assert "Claims no longer supported as claimed: 1 month, 45.93 USD at stake" in page
        assert "claimed    99490 + 99439, 106.42 USD: claim c1 of 2025-04-02" in page
        assert "supported  99490, 60.49 USD" in page
        assert "known      2025-04-03T12:00:00Z; return by 2025-06-02" in page
        assert "late       entry t2 voided; said 2025-04-03T12:00:00Z" in page

    @pytest.mark.usefixtures("log")
    def test_what_was_never_claimed_takes_a_line(self, command: Command) -> None:
        page = command("audit", "claims").out.decode()
        assert page.splitlines()[0] == "Earned and never claimed: 1 month, 106.42 USD at stake"
        assert page.splitlines()[1] == "    p1 / pt1   2025-03   99490 + 99439, 106.42 USD"

    def test_json_is_one_object_a_month(self, log: GrowingLog, command: Command) -> None:
        log.take([claim("99490")], BEGIN_US + DAY_US)
        (item,) = command("audit", "claims", "--json").lines()
        assert item["kind"] == "diverged"
        assert item["at_stake"] == {"dollars": "-45.93", "missing": None}
        assert item["claim"]["event"]["recorded_at"] == "2025-04-02T12:00:00Z"
        assert command("audit", "claims", "--json", "--kind", "late").out == b""

    def test_an_unknown_kind_is_refused(self, command: Command) -> None:
        done = command("audit", "claims", "--kind", "lost")
        assert (done.code, done.out) == (2, b"")
        assert "--kind: expected one of diverged, late, reopened, unclaimed" in done.err

    def test_nothing_to_do_is_said(self, command: Command) -> None:
        assert command("audit", "claims").out.startswith(b"every claim is supported")
