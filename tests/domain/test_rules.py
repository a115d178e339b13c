"""Every code, date and kind of the rules page does what it says there; its neighbours do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from domain import facts as f
from domain.assess.assessment import Assessment
from domain.event import Event
from domain.policy import Policy
from domain.rules import BOOK
from tests.given import (
    NPI,
    OTHER_NPI,
    condition,
    day,
    event,
    five_pm,
    mdm,
    practitioner,
    ready,
    staff,
    then,
    visit,
)

MONTH = "2025-03"


def span(first: int, last: int) -> set[str]:
    return {str(code) for code in range(first, last + 1)}


HOME_VISITS = span(99341, 99350)
TCM = {"99495", "99496"}
OVERSIGHT = {"G0181", "G0182"}
PCM = span(99424, 99427) | {"G2064", "G2065"}
APCM = {"G0556", "G0557", "G0558"}
ESRD = span(90951, 90970)
REMOTE = {"99457", "99458", "98980", "98981"}
BEHAVIOURAL = {"99484", "99492", "99493", "99494"}
CCM = {"99490", "99439", "G2058", "99491", "99437", "99487", "99489", "G0511"}
QUALIFYING = span(99202, 99205) | span(99212, 99215) | HOME_VISITS | TCM
QUALIFYING |= {"G0402", "G0438", "G0439"}
OFFICE_AND_HOME = span(99201, 99205) | span(99211, 99215) | HOME_VISITS
EVERY_CODE = QUALIFYING | OFFICE_AND_HOME | OVERSIGHT | PCM | APCM | ESRD | REMOTE
EVERY_CODE |= BEHAVIOURAL | CCM


def beside(codes: set[str]) -> set[str]:
    """These codes and the next lower and higher of each."""
    near = {f"{code[:1]}{int(code[1:]) + step:04d}" for code in codes for step in (-1, 1)}
    return codes | near


ASKED = sorted(beside(EVERY_CODE))


def without(events: list[Event], *kinds: type) -> list[Event]:
    return [one for one in events if not isinstance(one.fact, kinds)]


class TestVisits:
    def test_just_these_visits_initiate(self) -> None:
        base = without(ready(MONTH), f.VisitRecorded)

        def initiates(hcpcs: str) -> bool:
            events = [*base, visit("2025-01-01", hcpcs)]
            return "initiating-visit-missing" not in then(events, MONTH).blockers

        assert {hcpcs for hcpcs in ASKED if initiates(hcpcs)} == QUALIFYING

    @pytest.mark.parametrize(("on", "initiates"), [("2020-12-31", True), ("2021-01-01", False)])
    def test_the_lowest_new_patient_visit_initiated_until_2020(
        self, on: str, initiates: bool
    ) -> None:
        events = [*without(ready("2021-03"), f.VisitRecorded), visit(on, "99201")]
        assert ("initiating-visit-missing" not in then(events, "2021-03").blockers) == initiates

    def test_just_these_visits_must_not_share_their_minutes(self) -> None:
        base = [*ready(MONTH), staff("t1", "2025-03-05", 600)]

        def warned(hcpcs: str) -> bool:
            return "same-day-visit" in then([*base, visit("2025-03-05", hcpcs)], MONTH).warnings

        assert {hcpcs for hcpcs in ASKED if warned(hcpcs)} == OFFICE_AND_HOME


class TestOtherServices:
    @staticmethod
    def answers(npi: str, month: str) -> dict[str, Assessment]:
        first, last = day(f"{month}-01"), day(f"{month}-02")
        base = [*ready(month), staff("t1", f"{month}-03", 600)]
        return {
            hcpcs: then(
                [*base, event(f.ServiceBilled(hcpcs, first, last, npi), five_pm(last))], month
            )
            for hcpcs in ASKED
        }

    @pytest.mark.parametrize("month", ["2019-12", MONTH])
    def test_of_the_same_practitioner(self, month: str) -> None:
        found = self.answers(NPI, month)
        competing = OVERSIGHT | PCM | APCM | ESRD
        beside_it = REMOTE | BEHAVIOURAL | (TCM if month >= "2020-01" else set())
        assert _blocked(found, "competing-service") == competing
        assert _blocked(found, "billed-elsewhere") == set()
        assert _warned(found) == beside_it

    @pytest.mark.parametrize("month", ["2019-12", MONTH])
    def test_of_another_practitioner(self, month: str) -> None:
        found = self.answers(OTHER_NPI, month)
        beside_it = REMOTE | BEHAVIOURAL | PCM | OVERSIGHT
        beside_it |= TCM if month >= "2020-01" else set()
        assert _blocked(found, "competing-service") == set()
        assert _blocked(found, "billed-elsewhere") == CCM
        assert _warned(found) == beside_it

    @pytest.mark.parametrize(("month", "excluded"), [("2019-12", True), ("2020-01", False)])
    def test_transitional_care_kept_its_days_until_2019(self, month: str, excluded: bool) -> None:
        on = day(f"{month}-05")
        base = [*ready(month), staff("t1", f"{month}-05", 600)]

        def keeps(hcpcs: str, npi: str = NPI) -> bool:
            said = event(f.ServiceBilled(hcpcs, on, on, npi), five_pm(on))
            return then([*base, said], month).seconds.excluded == 600

        assert {hcpcs for hcpcs in ASKED if keeps(hcpcs)} == (TCM if excluded else set())
        assert not keeps("99495", OTHER_NPI)

    def test_each_month_looks_at_all_services_and_takes_its_own(self) -> None:
        """Whichever of them was said first."""
        months = ("2025-02", MONTH, "2025-04")
        said = [
            event(f.ServiceBilled("G0181", day(f"{m}-01"), day(f"{m}-28"), NPI), five_pm(f"{m}-28"))
            for m in ("2025-01", MONTH)
        ]
        found = {m: then([*ready("2025-01"), *said], m).blockers for m in months}
        assert found == {"2025-02": (), MONTH: ("competing-service",), "2025-04": ()}


def _blocked(found: dict[str, Assessment], blocker: str) -> set[str]:
    return {hcpcs for hcpcs, answer in found.items() if blocker in answer.blockers}


def _warned(found: dict[str, Assessment]) -> set[str]:
    return {hcpcs for hcpcs, answer in found.items() if "concurrent-service" in answer.warnings}


STAFF_ONLY, WITH_COMPLEX = ("non-complex",), ("complex", "non-complex")
ALL_THREE = ("complex", "practitioner", "non-complex")


class TestDatesOfService:
    @pytest.mark.parametrize(
        ("kind", "month", "families"),
        [
            ("practitioner", "2014-12", ()),
            ("practitioner", "2015-01", STAFF_ONLY),
            ("practitioner", "2016-12", STAFF_ONLY),
            ("practitioner", "2017-01", WITH_COMPLEX),
            ("practitioner", "2018-12", WITH_COMPLEX),
            ("practitioner", "2019-01", ALL_THREE),
            ("practitioner", "2026-12", ALL_THREE),
            ("clinic", "2015-12", ()),
            ("clinic", "2016-01", STAFF_ONLY),
            ("clinic", "2017-12", STAFF_ONLY),
            ("clinic", "2018-01", ("rhc",)),
            ("clinic", "2024-12", ("rhc",)),
            ("clinic", "2025-01", ("rhc", *ALL_THREE)),
            ("clinic", "2025-09", ("rhc", *ALL_THREE)),
            ("clinic", "2025-10", ALL_THREE),
            ("clinic", "2026-12", ALL_THREE),
        ],
    )
    def test_families_begin_and_end_with_their_months(
        self, kind: str, month: str, families: tuple[str, ...]
    ) -> None:
        for one in ("rhc", "fqhc") if kind == "clinic" else (kind,):
            events = [*_enrolled_as(one, month), mdm(month)]
            assert tuple(near.family for near in then(events, month).next) == families

    @pytest.mark.parametrize(
        ("month", "codes"),
        [
            ("2019-12", {"99490": 1}),
            ("2020-01", {"99490": 1, "G2058": 2}),
            ("2020-12", {"99490": 1, "G2058": 2}),
            ("2021-01", {"99490": 1, "99439": 2}),
        ],
    )
    def test_further_staff_time_has_the_code_of_its_year(
        self, month: str, codes: dict[str, int]
    ) -> None:
        answer = then([*ready(month), staff("t1", f"{month}-05", 4_800)], month)
        assert {line.code: line.units for line in answer.codes} == codes

    @pytest.mark.parametrize(
        ("month", "codes"), [("2021-12", {"99491": 1}), ("2022-01", {"99491": 1, "99437": 3})]
    )
    def test_further_practitioner_time_has_a_code_from_2022_on(
        self, month: str, codes: dict[str, int]
    ) -> None:
        answer = then([*ready(month), practitioner("t1", f"{month}-05", 7_200)], month)
        assert {line.code: line.units for line in answer.codes} == codes

    @pytest.mark.parametrize(
        ("month", "revised_on", "offered"),
        [
            ("2019-12", None, False),
            ("2019-12", "2019-12-31", True),
            ("2020-01", None, True),
        ],
    )
    def test_the_plan_of_the_month_was_asked_for_until_2019(
        self, month: str, revised_on: str | None, offered: bool
    ) -> None:
        events = [*ready(month), mdm(month), staff("t1", f"{month}-05", 3_600)]
        if revised_on:
            plan = f.CarePlanRecorded("revised", day(revised_on))
            events.append(event(plan, five_pm(revised_on)))
        families = [option.family for option in then(events, month).options]
        assert ("complex" in families) == offered

    @pytest.mark.parametrize("month", ["2016-03", "2025-03", "2025-10"])
    @pytest.mark.parametrize("kind", ["practitioner", "rhc", "fqhc"])
    def test_staff_codes_leave_the_practitioners_time_aside_where_the_practice_says_so(
        self, kind: str, month: str
    ) -> None:
        events = [
            *_enrolled_as(kind, month),
            mdm(month),
            staff("t1", f"{month}-05", 1_100),
            practitioner("t2", f"{month}-06", 600),
        ]
        near = then(events, month, Policy(pool_practitioner_time=False)).next
        to_go = {one.family.value: one.seconds_to_go for one in near if one.family != "rhc"}
        expected = {"non-complex": 100}
        if month >= "2017":
            expected |= {"complex": 2_500, "practitioner": 1_200}
        assert to_go == expected


def _enrolled_as(kind: str, month: str) -> list[Event]:
    return [
        event(replace(one.fact, provider_kind=kind), one.time)  # type: ignore[arg-type]
        if isinstance(one.fact, f.PatientEnrolled)
        else one
        for one in ready(month)
    ]


class TestVersions:
    @pytest.mark.parametrize(
        ("month", "version"),
        [
            ("2014-12", "cms-2014.1"),
            ("2015-01", "cms-2015.1"),
            ("2025-09", "cms-2025.1"),
            ("2025-10", "cms-2025.2"),
            ("2025-12", "cms-2025.2"),
            ("2026-01", "cms-2026.1"),
        ],
    )
    def test_a_version_counts_the_rule_sets_of_its_year(self, month: str, version: str) -> None:
        assert BOOK.on(month).used.version == version

    def test_the_digest_changes_when_rows_begin_or_end_and_at_no_other_time(self) -> None:
        digests = [(month, BOOK.on(month).used.digest) for month in _months(2014, 2026)]
        changed = {month for (_, one), (month, next_one) in pairwise(digests) if one != next_one}
        assert changed == {*(f"{year}-01" for year in (*range(2015, 2023), 2025)), "2025-10"}
        assert len({digest for _, digest in digests}) == len(changed) + 1
        assert all(digest.startswith("sha256:") for _, digest in digests)


def _months(first: int, last: int) -> list[str]:
    return [f"{y}-{m:02d}" for y in range(first, last + 1) for m in range(1, 13)]


@pytest.mark.parametrize(
    ("month", "active"),
    [("2025-02", False), ("2025-03", True), ("2025-06", True), ("2025-07", False)],
)
def test_a_condition_is_active_from_its_onset_through_its_resolution(
    month: str, active: bool
) -> None:
    events = [
        *without(ready("2025-02"), f.ConditionRecorded),
        condition("I10", "2025-01-01"),
        event(f.ConditionRecorded("J44.9", True, day("2025-03-31")), five_pm("2025-01-01")),
        event(f.ConditionResolved("J44.9", day("2025-06-01")), five_pm("2025-06-01")),
    ]
    blockers = then(events, month).blockers
    assert ("conditions-fewer-than-two" not in blockers) == active


@pytest.mark.parametrize(
    ("codes", "distinct"),
    [
        (("I10", "I11.9"), True),
        (("E11.9", "E11.2"), False),
        (("E11", "E11.9"), False),
        (("E119", "E112"), False),
        (("E11.9", "E10.9"), True),
        (("I10",), False),
    ],
)
def test_conditions_differ_by_their_first_three_characters(
    codes: tuple[str, ...], distinct: bool
) -> None:
    base = without(ready(MONTH), f.ConditionRecorded)
    answer = then([*base, *(condition(code, "2025-01-01") for code in codes)], MONTH)
    assert ("conditions-fewer-than-two" not in answer.blockers) == distinct
