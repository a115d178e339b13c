"""The patient's page: every second, code and fact of the month, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.eventstore import open_store
from services.access import Role
from services.audit.access import accesses
from services.pages.checklist import UNASKED
from services.pages.ids import id_of, part
from services.pages.patient import Sheet, address
from services.pages.timeline import WIDTH
from services.views.record import record_of
from tests.audit.growing import FIRST_US, GrowingLog
from tests.audit.scene import MONTH, lived
from tests.given import clocked, condition, ready, staff
from tests.pages.asked import Pages, person
from tests.services.command import Command, command
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

__all__ = ["command"]

PAGE = "/patients/p1/pt1/2025-03"


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield lived(store)
    store.close()


@pytest.fixture
def pages(log: GrowingLog) -> Pages:
    return Pages(log.parts)


def sheet(log: GrowingLog, month: str = MONTH, patient: str = "pt1") -> Sheet:
    return Sheet(record_of(log.parts, "p1", patient, month).now())


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes())
def test_the_table_has_every_second_once_and_the_picture_has_every_row(scene: Scene) -> None:
    log = GrowingLog(open_store("sqlite:///:memory:"), scene.policy)
    log.take(scene.events, FIRST_US)
    for month in scene.months[:2]:
        shown = sheet(log, month, scene.events[0].patient_id)
        seconds = shown.known.answer.seconds
        assert sum(span.seconds for span in shown.spans) == seconds.logged
        assert sum(s.seconds for s in shown.spans if not s.counts) == seconds.excluded
        if shown.spans:
            assert shown.spans[-1].running == seconds.logged - seconds.excluded
            assert shown.picture is not None
            bars = [bar for day in shown.picture.days for bar in day.bars]
            assert len(bars) == len(shown.spans)
            assert all(0 <= bar.x <= bar.x + bar.width <= WIDTH for bar in bars)
            assert all(bar.y < shown.picture.height for bar in bars)
        assert all(span.why is not None for span in shown.spans if not span.counts)
        found = [one for one in shown.chronicle if one.kind != "alert"]
        assert len(found) == len(shown.known.bearing)


def test_bars_of_one_line_of_a_day_never_lie_over_each_other() -> None:
    log = GrowingLog(open_store("sqlite:///:memory:"))
    at = "2025-03-05T09:{}:00-05:00".format
    one, other = clocked("t1", at("00"), at("30")), clocked("t2", at("10"), at("40"))
    log.take([*ready(MONTH), one, other], FIRST_US)
    picture = sheet(log).picture
    assert picture is not None
    (day,) = picture.days
    assert len(day.lanes) == 2
    looks = [(bar.look, bar.y == day.y) for bar in day.bars]
    assert looks == [("counted", True), ("left-out", False), ("counted", False)]


def test_without_an_enrolment_what_cannot_be_asked_is_unknown() -> None:
    log = GrowingLog(open_store("sqlite:///:memory:"))
    log.take([staff("t1", "2025-03-05", 1_200)], FIRST_US)
    states = {check.blocker: (check.state, check.sentence) for check in sheet(log).checks}
    assert states["not-enrolled"][0] == "not met"
    assert states["initiating-visit-missing"] == ("unknown", UNASKED)
    assert len(states) == 9


def test_the_ladder_says_what_each_unit_takes_and_pays(log: GrowingLog) -> None:
    family = next(each for each in sheet(log).families if each.name == "non-complex")
    rungs = [
        (rung.code, rung.unit, rung.threshold_seconds, str(rung.amount.dollars), rung.says)
        for rung in family.rungs
    ]
    assert rungs == [
        ("99490", 1, 1_200, "60.49", "reached on 2025-03-05 with entry t1"),
        ("99439", 1, 2_400, "45.93", "reached on 2025-03-18 with entry t4"),
        ("99439", 2, 3_600, "45.93", "13:30 to go"),
    ]


def test_corrections_and_alerts_stand_in_the_list_with_who_and_why(log: GrowingLog) -> None:
    found = [
        (one.what, one.who, one.why, one.state)
        for one in sheet(log).chronicle
        if one.kind != "fact"
    ]
    assert ("time.amended", "rn1 (clinical_staff)", "typed 25 for 14 minutes", "") in found
    assert ("event.retracted", "urn:test:ehr", "entered in error", "") in found
    assert ("claim.diverged raised", "", "by event r2", "") in found
    became = {one.event.id: one.state for one in sheet(log).chronicle if one.event}
    assert (became["w4"], became["w2"], became["w1"]) == ("superseded by a4", "retracted by r2", "")


def test_a_claim_that_is_not_supported_says_what_is_at_stake_and_until_when(
    log: GrowingLog,
) -> None:
    claim = sheet(log).claim
    assert claim is not None
    assert claim.stake == "$45.93 more than the record supports"
    assert (claim.known_since, str(claim.deadline)) == ("2025-04-10T12:00:00Z", "2025-06-09")


class TestTheRoute:
    async def test_it_shows_the_month_and_writes_the_read_down_first(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        answer = await pages.get(PAGE)
        assert answer.status_code == 200
        for words in ("diverged", "$106.42", "99490 + 99439", "13:30 to go", "typed 25 for 14"):
            assert words in answer.text
        read = list(accesses(log.store))[-1]
        assert read.wanted == {"practice": "p1", "patient": "pt1", "month": MONTH}

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/patients/p1/nobody/2025-03", 404),
            ("/patients/p2/pt1/2025-03", 404),
            ("/patients/p1/pt1/2025-13", 404),
            (PAGE + "?as_of=yesterday", 400),
            (PAGE + "?stop=-1", 400),
            (PAGE + "?against=never", 400),
        ],
    )
    async def test_what_cannot_be_shown_is_said(self, pages: Pages, path: str, status: int) -> None:
        assert (await pages.get(path)).status_code == status

    async def test_a_diagnosis_that_might_be_attested_is_a_hint_and_no_more(
        self, log: GrowingLog
    ) -> None:
        only_one = [*ready(MONTH)[:4], condition("J44.9", "2025-03-03", chronic=False)]
        log.take([replace(one, patient_id="pt9", id=f"h{one.id}") for one in only_one], FIRST_US)
        answer = await Pages(log.parts).get("/patients/p1/pt9/2025-03")
        assert "Hint: J44.9 is on record and not attested as chronic" in answer.text
        assert "1 distinct chronic condition active" in answer.text

    async def test_of_another_practice_there_is_nothing(self, pages: Pages) -> None:
        pages.become(person(Role.COORDINATOR, "p2"))
        answer = await pages.get(PAGE)
        assert answer.status_code == 404
        assert "99490" not in answer.text

    async def test_who_may_not_read_is_refused(self, pages: Pages) -> None:
        pages.become(person(Role.INTEGRATOR, "p1"))
        assert (await pages.get(PAGE)).status_code == 403

    async def test_a_stop_leads_to_its_moment_without_a_script(self, pages: Pages) -> None:
        answer = await pages.get(PAGE, params={"stop": "1"})
        assert answer.status_code == 303
        assert answer.headers["location"] == PAGE + "?as_of=2025-04-02T12%3A00%3A00Z"
        shown = await pages.get(answer.headers["location"])
        assert "moment 2 of 4" in shown.text
        assert "now: diverged" in shown.text

    async def test_the_last_stop_and_beyond_is_now(self, pages: Pages) -> None:
        for stop in ("3", "99"):
            assert (await pages.get(PAGE, params={"stop": stop})).headers["location"] == PAGE

    async def test_the_script_is_given_what_the_slider_changes_alone(self, pages: Pages) -> None:
        script = {"hx-request": "true"}
        answer = await pages.get(PAGE, params={"stop": "1"}, headers=script)
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<div id="then"')
        assert "<html" not in answer.text

    async def test_other_forms_of_the_moment_are_linked_for_who_may_have_them(
        self, pages: Pages
    ) -> None:
        at = "as_of=2025-04-02T12%3A00%3A00Z"
        way = f"/api/v1/practices/p1/patients/pt1/months/{MONTH}"
        pages.become(person(Role.AUDITOR, "p1"))
        text = (await pages.get(f"{PAGE}?{at}")).text
        assert f'href="{way}/explanation?{at}"' in text
        assert f'href="{way}/packet?{at}"' in text
        pages.become(person(Role.COORDINATOR, "p1"))
        assert "/packet" not in (await pages.get(PAGE)).text

    async def test_before_the_first_moment_nothing_was_known(self, pages: Pages) -> None:
        answer = await pages.get(PAGE, params={"as_of": "2024-01-01T00:00:00Z"})
        assert answer.status_code == 200
        assert "Nothing was known of this patient then" in answer.text

    async def test_nothing_is_inline_and_no_id_is_markup(self, command: Command) -> None:
        store = open_store(f"{command.database}-odd")
        log, odd = GrowingLog(store), "<b>/%41 \u202e~é.."
        events = [replace(each, patient_id=odd) for each in ready(MONTH)]
        log.take([*events, replace(staff("t<i>", "2025-03-05", 1_260), patient_id=odd)], FIRST_US)
        answer = await Pages(log.parts).get(address("p1", odd, MONTH))
        store.close()
        assert answer.status_code == 200
        assert "&lt;b&gt;" in answer.text
        assert "<b>/" not in answer.text
        assert "t<i>" not in answer.text
        assert "\u202e" not in answer.text
        assert not re.search(r'\sstyle="|<script>|\son\w+="', answer.text)


@settings(max_examples=examples(300), deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_id_survives_its_address_whatever_it_holds(id: str) -> None:
    assert id_of(part(id)) == id
    assert re.fullmatch(r"(?:[A-Za-z0-9._-]|~[0-9a-f]{2})+", part(id))
    assert part(id) not in (".", "..")
