"""Measured time as it is logged: to the second, once, and asked about where it is long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.eventstore.timers import open_timers
from services.histories import history_of
from tests.audit.growing import GrowingLog
from tests.pages.asked import Pages
from tests.pages.entering import PAGE, command, fields, head, last, log, pages, wrong
from tests.pages.timing import LOG, MINUTE, bar, press, two_patients, worked

__all__ = ["command", "log", "pages", "two_patients"]


class TestLogging:
    async def test_each_stretch_is_one_entry_to_the_second(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await worked(pages, log, 2.5, 4)
        form = fields((await pages.get(LOG)).text)
        before = head(log)
        answer = await pages.post(LOG, data=form)
        assert answer.status_code == 303, wrong(answer)
        assert head(log) == before + 2
        said = last(log)
        assert said["started_at"] == "2025-03-06T17:39:10-05:00"
        assert said["ended_at"] == "2025-03-06T17:43:10-05:00"
        assert said["measured"] == {n: said[n] for n in ("started_at", "ended_at")}
        assert said["performer"] == {"id": "Ada Byron", "role": "clinical_staff"}
        assert "reason" not in said
        page = (await pages.get(answer.headers["location"])).text
        assert "6:30 more count. 99490 earned." in page
        assert bar(page) == ""

    async def test_a_double_press_and_a_resend_log_once(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await worked(pages, log, 3)
        form = fields((await pages.get(LOG)).text)
        first = await pages.post(LOG, data=form)
        before = head(log)
        again = await pages.post(LOG, data=form)
        assert again.status_code == 303
        assert again.headers["location"] == first.headers["location"]
        assert head(log) == before

    async def test_the_form_waits_through_a_closed_tab(self, pages: Pages, log: GrowingLog) -> None:
        await worked(pages, log, 3)
        log.now_us += 24 * 60 * MINUTE
        form = fields((await pages.get(LOG)).text)
        assert (form["start-0"], form["minutes-0"], form["on-0"]) == ("17:26:40", "3", "2025-03-06")

    async def test_corrected_minutes_need_a_reason_and_keep_what_was_measured(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await worked(pages, log, 9)
        form = fields((await pages.get(LOG)).text) | {"minutes-0": "7"}
        answer = await pages.post(LOG, data=form)
        assert answer.status_code == 422
        assert wrong(answer) == {"reason": "Say why: it is not what was measured."}
        answer = await pages.post(LOG, data=fields(answer.text) | {"reason": "was on the phone"})
        assert answer.status_code == 303
        said = last(log)
        assert (said["ended_at"], said["reason"]) == (
            "2025-03-06T17:33:40-05:00",
            "was on the phone",
        )
        assert said["measured"]["ended_at"] == "2025-03-06T17:35:40-05:00"

    async def test_a_stretch_may_be_left_out(self, pages: Pages, log: GrowingLog) -> None:
        await worked(pages, log, 2, 3)
        form = fields((await pages.get(LOG)).text)
        del form["keep-0"]
        before = head(log)
        assert (await pages.post(LOG, data=form)).status_code == 303
        assert head(log) == before + 1

    async def test_to_log_nothing_is_to_drop_it(self, pages: Pages, log: GrowingLog) -> None:
        await worked(pages, log, 2)
        form = fields((await pages.get(LOG)).text)
        del form["keep-0"]
        answer = await pages.post(LOG, data=form)
        assert wrong(answer)["keep-0"].startswith("Keep one stretch at least")
        before = head(log)
        await press(pages, "drop", timer=form["timer"])
        assert "No measured time waits here" in (await pages.get(LOG)).text
        assert head(log) == before

    @pytest.mark.parametrize(
        ("minutes", "says"),
        [(121, "It ran 2 h 1 min without a pause."), (420, "It ran 7 h 0 min without a pause.")],
    )
    async def test_a_long_run_is_asked_about_before_it_is_believed(
        self, pages: Pages, log: GrowingLog, minutes: int, says: str
    ) -> None:
        await press(pages, "start")
        log.now_us += minutes * MINUTE
        assert f"for {minutes // 60} hours: still at it?" in (await pages.get(PAGE)).text
        await press(pages, "stop")
        page = (await pages.get(LOG)).text
        assert says in page
        answer = await pages.post(LOG, data=fields(page))
        assert answer.status_code == 422
        assert wrong(answer) == {"believed-0": f"{says} Was all of it work?"}
        believed = fields(answer.text) | {"believed-0": "yes"}
        assert (await pages.post(LOG, data=believed)).status_code == 303

    async def test_a_run_across_midnight_is_asked_about_and_can_be_corrected(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        log.now_us += 6 * 60 * MINUTE  # 23:26:40 in New York
        await worked(pages, log, 45)
        page = (await pages.get(LOG)).text
        assert "It ran across midnight." in page
        less = {"minutes-0": "20", "reason": "forgot to stop it"}
        assert (await pages.post(LOG, data=fields(page) | less)).status_code == 303

    async def test_more_than_a_day_must_be_corrected(self, pages: Pages, log: GrowingLog) -> None:
        await worked(pages, log, 60 * 24 * 9)
        form = fields((await pages.get(LOG)).text) | {"believed-0": "yes"}
        answer = await pages.post(LOG, data=form)
        assert wrong(answer)["minutes-0"].startswith("Expected at most a day (1440 minutes)")

    async def test_what_is_wrong_with_who_worked_stands_there(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await worked(pages, log, 2)
        form = fields((await pages.get(LOG)).text) | {"role": "", "minutes-0": "x"}
        answer = await pages.post(LOG, data=form)
        assert set(wrong(answer)) == {"role", "minutes-0"}

    async def test_what_would_not_count_is_told_before(self, pages: Pages, log: GrowingLog) -> None:
        await worked(pages, log, 2)
        form = fields((await pages.get(LOG)).text) | {"program": "rpm"}
        answer = await pages.post(LOG, data=form)
        assert answer.status_code == 200
        assert "other-program" in answer.text
        assert (await pages.post(LOG, data=fields(answer.text))).status_code == 303

    async def test_logged_in_one_process_and_lost_in_another_it_is_logged_once(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        """A process that ends between the log and the timer leaves the timer: the form comes
        again, and what it says is known."""
        await worked(pages, log, 2)
        form = fields((await pages.get(LOG)).text)
        (timer,) = open_timers(log.store).of("name Ada Byron")
        await pages.post(LOG, data=form)
        open_timers(log.store).write(replace(timer, version=1))
        before = head(log)
        again = await pages.post(LOG, data=fields((await pages.get(LOG)).text))
        assert again.status_code == 303
        assert head(log) == before
        entries = {
            getattr(e.fact, "entry_id", "") for e in history_of(log.store, "p1", "pt1").events
        }
        assert len(entries - {""}) == 2
