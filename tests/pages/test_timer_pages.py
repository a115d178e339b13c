"""The timer over HTTP: one runs, it outlives tabs and processes, and is logged as measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.eventstore import open_store
from services.access import Role
from services.audit.access import accesses
from tests.audit.growing import GrowingLog
from tests.given import ready
from tests.pages.asked import Pages, person
from tests.pages.entering import FORMS, MONTH, PAGE, command, log, pages
from tests.pages.timing import LOG, MINUTE, OTHER, bar, press, timer_id, two_patients
from tests.services.command import Command

__all__ = ["command", "log", "pages", "two_patients"]


class TestOneRuns:
    async def test_start_pause_go_on_and_stop(self, pages: Pages, log: GrowingLog) -> None:
        assert 'class="measured"' in (await pages.get(PAGE)).text
        assert await press(pages, "start") == PAGE
        log.now_us += 12 * MINUTE
        assert bar((await pages.get(PAGE)).text) == "running pt1 12:00 Pause Stop and log"
        await press(pages, "pause")
        log.now_us += 60 * MINUTE
        assert bar((await pages.get(PAGE)).text) == "paused pt1 12:00 Go on Stop and log"
        await press(pages, "resume")
        log.now_us += MINUTE
        assert bar((await pages.get("/enter/p1/2025-03")).text).startswith("running pt1 13:00")
        assert await press(pages, "stop") == LOG
        assert bar((await pages.get(PAGE)).text) == "Log 13:00 for pt1"

    async def test_it_is_on_every_page_and_survives_another_process(
        self, pages: Pages, log: GrowingLog, command: Command
    ) -> None:
        await press(pages, "start")
        log.now_us += 5 * MINUTE
        other = replace(log.parts, store=open_store(command.database))
        try:
            restarted = Pages(other, person(Role.COORDINATOR, "p1"))
            for path in (OTHER, f"/board/p1/{MONTH}", "/timer"):
                text = (await restarted.get(path)).text
                assert bar(text) == "running pt1 5:00 Pause Stop and log"
        finally:
            other.store.close()

    async def test_a_second_one_is_refused_with_a_choice(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await press(pages, "start")
        log.now_us += MINUTE
        answer = await pages.post("/timer/p1/pt2/start", data={"back": OTHER})
        assert answer.status_code == 409
        assert "Another timer of yours runs" in answer.text
        assert "Pause it and start for pt2" in answer.text
        assert f'href="{OTHER}">Leave it running' in answer.text
        assert bar((await pages.get(PAGE)).text).startswith("running pt1 1:00")

    @pytest.mark.parametrize(
        ("switch", "then"),
        [("pause", "1 more paused"), ("stop", "Log 1:00 for pt1")],
    )
    async def test_the_first_makes_way_where_the_person_says_so(
        self, pages: Pages, log: GrowingLog, switch: str, then: str
    ) -> None:
        await press(pages, "start")
        log.now_us += MINUTE
        await press(pages, "start", "pt2", switch=switch, back=OTHER)
        assert bar((await pages.get(OTHER)).text) == f"running pt2 0:00 Pause Stop and log {then}"

    async def test_a_double_press_starts_one(self, pages: Pages, log: GrowingLog) -> None:
        for _ in range(2):
            await press(pages, "start")
            log.now_us += MINUTE
        assert bar((await pages.get(PAGE)).text).startswith("running pt1 2:00")

    async def test_a_stale_tab_is_told_and_does_no_harm(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await press(pages, "start")
        old = timer_id((await pages.get(PAGE)).text)
        log.now_us += MINUTE
        await press(pages, "pause")
        await press(pages, "pause", timer=old)
        assert await press(pages, "stop", timer=old) == LOG
        answer = await pages.post("/timer/p1/pt1/resume", data={"timer": old})
        assert answer.status_code == 409
        assert "This timer is not there" in answer.text

    async def test_less_than_a_second_is_nothing_to_log(self, pages: Pages) -> None:
        await press(pages, "start")
        id = timer_id((await pages.get(PAGE)).text)
        answer = await pages.post("/timer/p1/pt1/stop", data={"timer": id})
        assert answer.status_code == 409
        assert bar((await pages.get(PAGE)).text) == ""

    async def test_it_never_leads_away(self, pages: Pages) -> None:
        assert await press(pages, "start", back="https://example.org/") == PAGE.replace(
            MONTH, "2025-03"
        )
        assert await press(pages, "pause", back="//example.org") == PAGE

    async def test_from_a_form_that_was_refused_it_leads_back_to_the_form(
        self, pages: Pages
    ) -> None:
        await press(pages, "start")
        form = f"{FORMS}/care-plan"
        answer = await pages.post(form, data={"a": "b"}, headers={"referer": f"http://x{form}"})
        assert answer.status_code == 422
        assert f'name="back" value="{form}"' in answer.text


class TestWhose:
    async def test_each_person_has_their_own(self, pages: Pages) -> None:
        await press(pages, "start")
        id = timer_id((await pages.get(PAGE)).text)
        pages.become(replace(person(Role.PRACTITIONER, "p1"), name="Bob"))
        assert bar((await pages.get(PAGE)).text) == ""
        for act in ("pause", "stop", "resume"):
            answer = await pages.post(f"/timer/p1/pt1/{act}", data={"timer": id})
            assert answer.status_code == 409
        assert (await pages.post("/timer/p1/pt1/drop", data={"timer": id})).status_code == 409
        assert (await pages.post("/timer/p1/pt1/start", data={"back": PAGE})).status_code == 303
        pages.become(person(Role.COORDINATOR, "p1"))
        assert bar((await pages.get(PAGE)).text).startswith("running pt1")

    async def test_another_practices_patient_is_not_there(self, pages: Pages) -> None:
        await press(pages, "start")
        pages.become(person(Role.COORDINATOR, "p2"))
        assert (await pages.post("/timer/p1/pt1/start", data={"a": "b"})).status_code == 404
        assert (await pages.get(LOG)).status_code == 404
        assert "pt1" not in (await pages.get("/timer")).text

    async def test_a_timer_of_another_patient_is_not_reached_by_this_ones_address(
        self, pages: Pages
    ) -> None:
        """Else the access log would name the wrong one."""
        await press(pages, "start")
        id = timer_id((await pages.get(PAGE)).text)
        for act in ("pause", "resume", "stop", "drop"):
            answer = await pages.post(f"/timer/p1/pt2/{act}", data={"timer": id})
            assert answer.status_code == 409
        assert bar((await pages.get(PAGE)).text).startswith("running pt1")

    async def test_one_of_a_practice_that_is_seen_no_more_gives_way_in_silence(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        elsewhere = [replace(e, practice_id="p2", id=f"c{e.id}") for e in ready(MONTH)]
        log.take(elsewhere, log.now_us)
        pages.become(person(Role.COORDINATOR, "p2"))
        await pages.post("/timer/p2/pt1/start", data={"back": PAGE})
        pages.become(person(Role.COORDINATOR, "p1"))
        log.now_us += MINUTE
        await press(pages, "start", "pt2")
        assert bar((await pages.get(OTHER)).text) == "running pt2 0:00 Pause Stop and log"
        pages.become(person(Role.COORDINATOR, "p2"))
        page = (await pages.get(f"/patients/p2/pt1/{MONTH}")).text
        assert bar(page) == "paused pt1 1:00 Go on Stop and log"

    async def test_nobody_of_this_id_has_a_timer(self, pages: Pages) -> None:
        answer = await pages.post("/timer/p1/nobody/start", data={"a": "b"})
        assert answer.status_code == 404

    @pytest.mark.parametrize("role", [Role.BILLER, Role.AUDITOR])
    async def test_who_may_not_enter_has_none(self, pages: Pages, role: Role) -> None:
        pages.become(person(role, "p1"))
        assert "timer" not in (await pages.get(PAGE)).text
        assert (await pages.post("/timer/p1/pt1/start", data={"a": "b"})).status_code == 403
        assert (await pages.get("/timer")).status_code == 403

    async def test_every_act_is_written_down_first(self, pages: Pages, log: GrowingLog) -> None:
        await press(pages, "start")
        assert list(accesses(log.store))[-1].wanted == {"practice": "p1", "patient": "pt1"}
