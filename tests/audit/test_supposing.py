"""A year under other rules or another policy: right in codes, dollars and reasons, and harmless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain import facts as f
from domain.assess import assess
from domain.event import Event
from domain.fees.schedule import BUILT_IN
from domain.policy import Policy
from domain.rules import BOOK
from domain.rules.book import PinnedBook, versions_of_year
from infra.eventstore import open_store
from services.audit.supposing import Change, Supposition, Terms, reasons
from tests.audit.growing import DAY_US, FIRST_US, GrowingLog
from tests.given import clocked, event, five_pm, folded, practitioner, ready, staff
from tests.services.command import Command, command

__all__ = ["command"]

MONTH = "2025-03"


def of_patient(events: list[Event], patient: str, practice: str = "p1") -> list[Event]:
    moved = (replace(e, patient_id=patient, practice_id=practice) for e in events)
    return [replace(e, id=f"{patient}-{e.id}") for e in moved]


def administrative(entry_id: str, seconds: int) -> Event:
    start = 1_741_183_200
    work = f.Clocked(start, start + seconds)
    performer = f.Performer("rn1", f.Role.CLINICAL_STAFF)
    return event(f.TimeLogged(entry_id, performer, "training", work), start + seconds)


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    """One month by staff alone, one mostly by the practitioner, one with training in it."""
    store = open_store(command.database)
    log = GrowingLog(store)
    log.take(of_patient([*ready(MONTH), staff("t1", "2025-03-05", 1_260)], "a"), FIRST_US)
    both = [*ready(MONTH), practitioner("t1", "2025-03-05", 1_800), staff("t2", "2025-03-06", 600)]
    log.take(of_patient(both, "b"), FIRST_US)
    claim = f.MonthClaimed(MONTH, (f.CodeUnits("99490", 1),), "c1", date(2025, 4, 2))
    trained = [*ready(MONTH), administrative("t1", 1_200), staff("t2", "2025-03-06", 1_200)]
    trained += [event(claim, five_pm("2025-04-02"))]
    log.take(of_patient(trained, "c", "p2"), FIRST_US + DAY_US)
    log.take(of_patient([*ready("2024-03"), staff("t1", "2024-03-05", 1_260)], "d"), FIRST_US)
    yield log
    store.close()


def asked(
    log: GrowingLog, supposed: Policy, practice: str | None = None, year: int = 2025
) -> tuple[Supposition, list[Change]]:
    now = Terms(BOOK, log.parts.settings.policy_of)
    question = Supposition(now, Terms(BOOK, lambda _: supposed))
    return question, list(question.run(log.store, year, practice))


class TestPolicies:
    def test_another_selection_changes_what_it_selects(self, log: GrowingLog) -> None:
        question, (change,) = asked(log, Policy(selection="staff-first"))
        assert (change.patient_id, change.reasons) == (
            "b",
            ("selected: non-complex instead of practitioner",),
        )
        assert [line.code for line in change.before.codes] == ["99491"]
        assert [line.code for line in change.after.codes] == ["99490", "99439"]
        assert (question.patients, question.all.months, question.changed) == (4, 3, 1)

    def test_more_that_does_not_count_takes_dollars_and_support(self, log: GrowingLog) -> None:
        policy = Policy(not_countable=("care_coordination",))
        _, changes = asked(log, policy)
        assert [change.patient_id for change in changes] == ["a", "b"]
        assert changes[0].reasons == ("time not counted: not-countable",)
        assert changes[0].dollars == Decimal("-60.49")

    def test_less_that_does_not_count_breaks_a_claim_too(self, log: GrowingLog) -> None:
        question, (change,) = asked(log, Policy(not_countable=()))
        assert change.reasons == ("time counted again: not-countable",)
        (group,) = question.groups.values()
        assert (group.months, group.claims_diverging) == (1, 1)
        assert dict(group.units_after) == {"99490": 1, "99439": 1}
        assert group.dollars == change.dollars == Decimal("45.93")

    def test_time_no_longer_pooled_is_told_as_such(self, log: GrowingLog) -> None:
        both = [practitioner("t1", "2025-03-05", 600), staff("t2", "2025-03-06", 900)]
        log.take(of_patient([*ready(MONTH), *both], "e"), FIRST_US + 2 * DAY_US)
        _, (change,) = asked(log, Policy(pool_practitioner_time=False))
        assert (change.patient_id, change.reasons) == (
            "e",
            ("practitioner time no longer pooled with staff time",),
        )

    def test_the_same_policy_changes_nothing(self, log: GrowingLog) -> None:
        question, changes = asked(log, Policy())
        assert (changes, question.changed, question.all.dollars) == ([], 0, Decimal("0.00"))
        assert question.all.dollars_before > 0

    def test_one_practice_and_one_year_are_asked_alone(self, log: GrowingLog) -> None:
        question, changes = asked(log, Policy(not_countable=()), practice="p1")
        assert (question.patients, question.all.months, changes) == (3, 2, [])
        assert asked(log, Policy(), year=2024)[0].all.months == 1


class TestReasons:
    def test_an_amount_alone_is_the_amount(self) -> None:
        patient = folded([*ready("2026-03"), staff("t1", "2026-03-05", 1_260)])
        one, other = (assess(patient, "2026-03", BOOK, Policy(qp=qp)) for qp in (False, True))
        assert reasons(one, other) == ("amount",)

    def test_another_day_at_another_rate_is_the_date_of_service(self) -> None:
        patient = folded([*ready("2024-03"), staff("t1", "2024-03-05", 1_260)])
        policies = (Policy(), Policy(date_of_service="month-end"))
        one, other = (assess(patient, "2024-03", BOOK, policy) for policy in policies)
        assert one.payment != other.payment
        assert reasons(one, other) == ("date of service",)


class TestPinnedRules:
    def test_the_rules_of_a_version_hold_in_every_month(self) -> None:
        patient = folded([*ready("2020-03"), staff("t1", "2020-03-05", 2_460)])
        held = assess(patient, "2020-03", BOOK, Policy())
        pinned = assess(patient, "2020-03", PinnedBook(BUILT_IN, "cms-2021.1"), Policy())
        assert [line.code for line in held.codes] == ["99490", "G2058"]
        assert [line.code for line in pinned.codes] == ["99490", "99439"]
        assert pinned.rules == BOOK.on("2021-01").used
        assert reasons(held, pinned) == ("codes of non-complex: 99490 + G2058 -> 99490 + 99439",)

    def test_in_its_own_months_a_pinned_book_answers_as_the_book_does(self) -> None:
        events = [
            *ready("2025-03"),
            clocked("t1", "2025-03-05T09:00:00-05:00", "2025-03-05T10:01:00-05:00"),
        ]
        patient = folded(events)
        pinned = PinnedBook(BUILT_IN, "cms-2025.1")
        for month in ("2025-01", "2025-03"):
            assert assess(patient, month, pinned, Policy()) == assess(
                patient, month, BOOK, Policy()
            )

    @pytest.mark.parametrize(
        "version", ["", "cms-2025.9", "2025.1", "cms-2009.1", "cms-2100.1", "cms-x.1", "cms-²⁰²⁵.1"]
    )
    def test_a_version_that_never_held_is_refused(self, version: str) -> None:
        with pytest.raises(KeyError):
            PinnedBook(BUILT_IN, version)

    def test_versions_of_a_year_are_those_of_its_months(self) -> None:
        assert versions_of_year(2025) == ["cms-2025.1", "cms-2025.2"]
        assert {BOOK.on(f"2025-{n:02d}").used.version for n in range(1, 13)} == {
            "cms-2025.1",
            "cms-2025.2",
        }


class TestTheCommand:
    def test_text_groups_by_reason(self, log: GrowingLog, command: Command) -> None:
        del log
        done = command("audit", "what-if", "--year", 2025, "--policy", "not_countable=")
        page = done.out.decode()
        assert (done.code, done.err) == (0, "")
        assert "2025: 4 patients, 3 months assessed twice, 1 would change" in page
        assert "time counted again: not-countable: 1 month, +45.93 USD" in page
        assert "99490 x1 -> 99439 x1 + 99490 x1" in page
        assert "1 claim would no longer be supported" in page

    @pytest.mark.usefixtures("log")
    def test_json_is_each_month_and_then_the_sums(self, command: Command) -> None:
        *months, sums = command(
            "audit", "what-if", "--year", 2025, "--policy", "not_countable=", "--json"
        ).lines()
        assert [(month["patient_id"], month["dollars"]) for month in months] == [("c", "45.93")]
        (group,) = sums["groups"]
        assert (group["reasons"], group["dollars"]) == (months[0]["reasons"], "45.93")
        assert (sums["months"], sums["changed"], sums["total"]["dollars"]) == (3, 1, "45.93")

    def test_it_changes_nothing(self, log: GrowingLog, command: Command) -> None:
        before = (log.store.head(), log.store.counts(), list(log.store.assessments()))
        command("audit", "what-if", "--year", 2025, "--rules", "cms-2019.1", "--practice", "p1")
        assert (log.store.head(), log.store.counts(), list(log.store.assessments())) == before

    @pytest.mark.usefixtures("log")
    def test_old_rules_know_fewer_codes(self, command: Command) -> None:
        page = command("audit", "what-if", "--year", 2025, "--rules", "cms-2014.1").out.decode()
        assert "no longer offered: non-complex" in page
        assert "-> no code" in page

    @pytest.mark.parametrize(
        ("args", "sentence"),
        [
            (["--year", "2025"], "expected --rules VERSION or --policy KEY=VALUE, or both"),
            (["--year", "2025", "--rules", "cms-2025.7"], "2025 has cms-2025.1, cms-2025.2; found"),
            (["--year", "2025", "--rules", "new"], "--rules: expected a version such as"),
            (["--year", "2025", "--policy", "qp=maybe"], "--policy qp: expected true or false"),
            (["--year", "25", "--policy", "qp=true"], "--year"),
        ],
    )
    def test_bad_input_is_told(self, command: Command, args: list[str], sentence: str) -> None:
        done = command("audit", "what-if", *args)
        assert (done.code, done.out) == (2, b"")
        assert sentence in done.err
