"""Facts entered by hand over HTTP: what is stored, what is said of it, what is refused where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.facts import MonthClaimed
from domain.policy import Policy
from infra.eventstore.projected import open_projected
from services.audit.telling import told
from services.histories import history_of
from services.projecting.following import live_generation, step
from services.projecting.overlaps import StaffOverlaps
from tests.audit.growing import GrowingLog
from tests.given import clocked
from tests.pages.asked import Pages
from tests.pages.closing import claim
from tests.pages.entering import (
    FORMS,
    PAGE,
    TIME,
    command,
    fields,
    filled,
    head,
    last,
    log,
    pages,
    sent,
    wrong,
)

__all__ = ["command", "log", "pages"]


class TestTime:
    async def test_it_is_logged_in_the_persons_name_and_the_page_says_what_it_changed(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        answer = await sent(pages, "time", **TIME)
        assert answer.status_code == 303
        assert last(log) == {
            "type": "time.logged.v1",
            "entry_id": last(log)["entry_id"],
            "performer": {"id": "Ada Byron", "role": "clinical_staff"},
            "activity": "care_coordination",
            "started_at": "2025-03-06T10:00:00-05:00",
            "ended_at": "2025-03-06T10:02:30-05:00",
            "entered_by": "Ada Byron",
        }
        page = (await pages.get(answer.headers["location"])).text
        assert "2:30 more count. 99490 earned. 19:30 to go to 99439" in page
        (event,) = [e for e in told(history_of(log.store, "p1", "pt1"), "UTC").values() if e.by]
        assert event.source == "urn:caretally:pages"

    async def test_without_a_start_only_day_and_length_are_said(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        assert (await sent(pages, "time", on="2025-03-06", minutes="5")).status_code == 303
        said = last(log)
        assert (said["performed_on"], said["seconds"]) == ("2025-03-06", 300)

    async def test_a_start_and_an_end_are_taken_to_the_second(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        await sent(pages, "time", on="2025-03-06", start="9:15:05", end="0930")
        said = last(log)
        assert said["started_at"] == "2025-03-06T09:15:05-05:00"
        assert said["ended_at"] == "2025-03-06T09:30:00-05:00"

    async def test_the_next_form_knows_who_worked_as_what(self, pages: Pages) -> None:
        await sent(pages, "time", **TIME, activity="referral", role="other_practitioner")
        held = await filled(pages, "time")
        assert (held["activity"], held["role"]) == ("referral", "other_practitioner")

    @pytest.mark.parametrize(
        ("given", "field", "says"),
        [
            ({"minutes": ""}, "minutes", "Say how long: minutes, or a start and an end."),
            ({"minutes": "2.5"}, "minutes", "Expected whole minutes such as 21"),
            ({"minutes": "2:75"}, "minutes", "Expected whole minutes such as 21"),
            ({"minutes": "1441"}, "minutes", "Expected at most a day (1440 minutes)"),
            ({"start": "25:00"}, "start", "Expected a time of day such as 09:15"),
            ({"start": "", "end": "11:00"}, "start", "Say when it started"),
            ({"end": "09:59", "minutes": ""}, "end", "Expected an end after the start"),
            ({"end": "10:05"}, "minutes", "From start to end it is 5; leave one of them away."),
            ({"on": "6 March"}, "on", "Expected a day as YYYY-MM-DD."),
            ({"start": "17:30"}, "minutes", "It would last until 2025-03-06 17:32; it is"),
            ({"on": "2025-03-07", "start": ""}, "on", "This day is still to come"),
            ({"role": "nurse"}, "role", "Expected one of clinical_staff, billing_practitioner"),
            ({"performer": " "}, "performer", "Expected a string of 1 to 256 characters"),
            ({"activity": "x" * 257}, "activity", "Expected a string of 1 to 256 characters"),
        ],
    )
    async def test_what_is_wrong_stands_next_to_the_field_and_the_rest_is_kept(
        self, pages: Pages, log: GrowingLog, given: dict[str, str], field: str, says: str
    ) -> None:
        before = head(log)
        answer = await sent(pages, "time", **{**TIME, "program": "pcm <b>", **given})
        assert answer.status_code == 422
        assert wrong(answer)[field].startswith(says), wrong(answer)
        assert fields(answer.text)["program"] == "pcm <b>"
        assert head(log) == before

    async def test_everything_wrong_is_said_at_once(self, pages: Pages) -> None:
        answer = await sent(pages, "time", performer="", role="", minutes="x")
        assert set(wrong(answer)) == {"performer", "role", "minutes"}

    async def test_a_time_that_came_twice_is_asked_for_with_its_offset(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        log.now_us = 1_762_300_000_000_000  # 2025-11-04T23:46:40Z
        answer = await sent(pages, "time", on="2025-11-02", start="01:30", minutes="5")
        assert "write 01:30:00-04:00 or 01:30:00-05:00" in wrong(answer)["start"]
        answer = await sent(pages, "time", on="2025-11-02", start="01:30-05:00", minutes="5")
        assert last(log)["started_at"] == "2025-11-02T01:30:00-05:00"

    async def test_a_time_that_the_clocks_skipped_is_none(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        log.now_us += 7 * 86_400_000_000
        answer = await sent(pages, "time", on="2025-03-09", start="02:30", minutes="5")
        assert "went forward" in wrong(answer)["start"]


class TestOnce:
    async def test_a_double_press_and_a_resend_hours_later_do_nothing(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        form = await filled(pages, "time", **TIME)
        places = set()
        for _ in range(3):
            answer = await pages.post(f"{FORMS}/time", data=form)
            assert answer.status_code == 303
            places.add((answer.headers["location"], head(log)))
            log.now_us += 3_600_000_000
        assert len(places) == 1

    async def test_the_same_form_with_other_content_is_not_taken_for_either(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        form = await filled(pages, "time", **TIME)
        await pages.post(f"{FORMS}/time", data=form)
        before = head(log)
        answer = await pages.post(f"{FORMS}/time", data=form | {"start": "11:00"})
        assert answer.status_code == 409
        assert "was saved before, with other content" in answer.text
        assert head(log) == before
        again = await pages.post(f"{FORMS}/time", data=fields(answer.text))
        assert again.status_code == 303
        assert head(log) > before

    async def test_a_number_that_is_none_of_ours_saves_nothing(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        before = head(log)
        answer = await sent(pages, "time", **TIME, act="1")
        assert answer.status_code == 422
        assert fields(answer.text)["start"] == "10:00"
        assert head(log) == before


class TestBeforeSaving:
    async def asked(self, pages: Pages, log: GrowingLog, *words: str, **given: str) -> None:
        """It asks, stores nothing, and stores it when the person says so."""
        before = head(log)
        answer = await sent(pages, "time", **{**TIME, **given})
        assert answer.status_code == 200
        for each in words:
            assert each in answer.text
        assert head(log) == before
        again = await pages.post(f"{FORMS}/time", data=fields(answer.text))
        assert again.status_code == 303
        assert head(log) > before

    async def test_an_overlap_is_told_with_its_seconds(self, pages: Pages, log: GrowingLog) -> None:
        words = ("overlap", "8:00 would not count in 2025-03: while another entry")
        await self.asked(pages, log, *words, on="2025-03-05", start="09:10", minutes="10")

    async def test_time_outside_the_programme_is_told(self, pages: Pages, log: GrowingLog) -> None:
        words = ("not-enrolled", "2:30 would not count in 2024-12")
        await self.asked(pages, log, *words, on="2024-12-06")

    async def test_time_for_another_programme_is_told(self, pages: Pages, log: GrowingLog) -> None:
        await self.asked(pages, log, "other-program", program="rpm")

    async def test_somebody_at_two_patients_at_once_is_told_without_a_name(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        there = clocked("t8", "2025-03-06T09:58:00-05:00", "2025-03-06T10:01:00-05:00")
        log.take([replace(there, patient_id="secret-9")], log.now_us)
        overlaps = StaffOverlaps(log.store, open_projected(log.store), lambda _: Policy())
        while step(log.store, overlaps, live_generation(log.store, overlaps), 500):
            pass
        words = ("staff-overlap", "cl is logged for another patient then, 1:00 long.")
        answer = await sent(pages, "time", **TIME, performer="cl")
        assert "secret-9" not in answer.text
        await self.asked(pages, log, *words, performer="cl")

    async def test_a_claimed_month_is_told(self, pages: Pages, log: GrowingLog) -> None:
        log.take(
            [clocked("t2", "2025-03-06T08:00:00-05:00", "2025-03-06T08:05:00-05:00")], log.now_us
        )
        log.take([claim("99490")], log.now_us)
        assert isinstance(history_of(log.store, "p1", "pt1").events[-1].fact, MonthClaimed)
        await self.asked(pages, log, "2025-03 is claimed already (claim c1, 2025-04-02)")

    async def test_what_becomes_true_after_the_question_is_asked_anew(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        over = {"on": "2025-03-05", "start": "09:10", "minutes": "10"}
        answer = await sent(pages, "time", **over)
        log.take(
            [clocked("t9", "2025-03-05T09:18:00-05:00", "2025-03-05T09:19:00-05:00")], log.now_us
        )
        again = await pages.post(f"{FORMS}/time", data=fields(answer.text))
        assert again.status_code == 200
        assert "1:00 of entry t9 would not count in 2025-03" in again.text


class TestCorrections:
    async def test_an_entry_is_amended_from_what_it_says(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        held = await filled(pages, "amend", "?entry_id=t1")
        assert (held["start"], held["minutes"], held["performer"]) == ("09:00", "18", "cl")
        answer = await sent(pages, "amend", "?entry_id=t1", minutes="20", reason="typed wrong")
        assert answer.status_code == 303
        said = last(log)
        assert (said["type"], said["reason"]) == ("time.amended.v1", "typed wrong")
        assert "99490 earned" in (await pages.get(answer.headers["location"])).text

    async def test_a_void_takes_back_what_was_earned_and_asks_first(self, pages: Pages) -> None:
        await sent(pages, "time", **TIME)
        answer = await sent(pages, "void", "?entry_id=t1", reason="wrong patient")
        assert "2025-03: this takes back 99490." in answer.text
        done = await pages.post(f"{FORMS}/void", data=fields(answer.text))
        page = (await pages.get(done.headers["location"])).text
        assert "18:00 less counts. 99490 taken back." in page

    async def test_a_reason_is_demanded(self, pages: Pages) -> None:
        answer = await sent(pages, "void", "?entry_id=t1", reason=" ")
        assert answer.status_code == 422
        assert wrong(answer)["reason"].startswith("Expected a text of 1 to 4096 characters")

    async def test_an_entry_that_changed_meanwhile_is_not_corrected_blindly(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        form = await filled(pages, "void", "?entry_id=t1", reason="why")
        await sent(pages, "amend", "?entry_id=t1", minutes="19", reason="why")
        before = head(log)
        answer = await pages.post(f"{FORMS}/void", data=form)
        assert answer.status_code == 409
        assert "It says something else than it did on this form" in answer.text
        assert head(log) == before

    async def test_a_correction_stands_though_a_feeds_clock_ran_ahead(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        ahead = clocked(
            "t3",
            "2025-03-06T09:00:00-05:00",
            "2025-03-06T09:05:00-05:00",
            at="2025-03-08T00:00:00Z",
        )
        log.take([ahead], log.now_us)
        form = await filled(pages, "void", "?entry_id=t3", reason="why")
        answer = await pages.post(f"{FORMS}/void", data=form)
        if answer.status_code == 200:
            await pages.post(f"{FORMS}/void", data=fields(answer.text))
        entry = history_of(log.store, "p1", "pt1").patient().entries.get("t3")
        assert entry is not None
        assert entry.standing is None

    async def test_an_entry_that_does_not_stand_has_no_form(self, pages: Pages) -> None:
        assert (await pages.get(f"{FORMS}/void?entry_id=nothing")).status_code == 404

    async def test_a_fact_entered_in_error_is_withdrawn(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        history = history_of(log.store, "p1", "pt1")
        consent = next(e for e in history.events if type(e.fact).__name__ == "ConsentRecorded")
        assert f"event_id={consent.id}" in (await pages.get(PAGE)).text
        query = f"?event_source={consent.source}&event_id={consent.id}"
        answer = await sent(pages, "withdraw", query, reason="of another patient")
        assert answer.status_code == 200
        done = await pages.post(f"{FORMS}/withdraw", data=fields(answer.text))
        assert "Now blocked by consent-missing" in (await pages.get(done.headers["location"])).text
