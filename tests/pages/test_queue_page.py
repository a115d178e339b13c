"""The queue over HTTP: the list, one letter, what is done with it, whose it is, the access log."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from infra.eventstore import open_store
from infra.eventstore.letters import open_letters
from services.access import Role
from services.audit.access import accesses
from tests.audit.growing import GrowingLog
from tests.pages.asked import Pages, person
from tests.pages.queueing import (
    BROKEN,
    MONTH,
    PAGE,
    SECRET,
    STRANGE,
    WHY,
    entry,
    form,
    letter,
    queue,
    refused,
    seconds,
)
from tests.services.command import Command, command

__all__ = ["command"]

FIRST = f"{PAGE}/letters/1"


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield queue(store)
    store.close()


@pytest.fixture
def pages(log: GrowingLog) -> Pages:
    made = Pages(log.parts)
    made.become(person(Role.INTEGRATOR, "p1"))
    return made


class TestTheList:
    async def test_what_waits_is_grouped_by_reason_with_how_many_are_alike(
        self, pages: Pages
    ) -> None:
        text = (await pages.get(PAGE)).text
        assert re.findall(r'id="reason-([a-z-]+)"', text) == [
            "invalid-member",
            "ends-before-start",
            "not-json",
            "unknown-person",
        ]
        assert "kafka:ehr.events.v1</a> 1" in text
        assert '5<span class="unseen"> waiting' in text

    async def test_filters_narrow_it_by_kind_reason_source_and_state(self, pages: Pages) -> None:
        async def ids(query: str) -> list[str]:
            return re.findall(r"/letters/(\d+)", (await pages.get(f"{PAGE}?{query}")).text)

        assert await ids("kind=review") == ["7"]
        assert await ids("reason=invalid-member") == ["2", "3"]
        page = (await pages.get(PAGE)).text
        mark = re.search(r'value="([0-9a-f]{12})">file:march.jsonl', page)
        assert mark is not None
        assert await ids(f"source={mark[1]}") == ["1", "2"]
        assert await ids("state=done") == []
        await pages.post(f"{FIRST}/set-aside", data={"reason": "theirs to mend"})
        assert await ids("state=done") == ["1"]
        assert await ids("reason=ends-before-start") == []
        assert await ids("kind=nonsense&after=nonsense&reason=nonsense") == []

    async def test_pages_follow_by_the_last_id_and_miss_nothing(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        for number in range(60):
            refused(log, entry(f"m{number}", started_at="noon"), f"file:more.jsonl:{number}")
        seen: list[str] = []
        query = "reason=invalid-member"
        while query:
            text = (await pages.get(f"{PAGE}?{query}")).text
            seen += re.findall(r"/letters/(\d+)", text)
            more = re.search(r'\?([^"]*)#letters" rel="next"', text)
            query = more[1].replace("&amp;", "&") if more else ""
        assert len(seen) == len(set(seen)) == 62

    async def test_the_address_alone_leads_there_and_home_who_may_nothing_else(
        self, pages: Pages
    ) -> None:
        assert (await pages.get("/")).headers["location"] == "/queue"
        assert (await pages.get("/queue")).headers["location"] == "/queue/p1/2025-04"

    async def test_the_number_is_told_on_every_page_to_who_may_work_the_queue(
        self, pages: Pages
    ) -> None:
        pages.become(person(Role.ADMIN, "p1"))
        assert '5<span class="unseen"> waiting' in (await pages.get(f"/close/p1/{MONTH}")).text
        pages.become(person(Role.BILLER, "p1"))
        assert "waiting" not in (await pages.get(f"/close/p1/{MONTH}")).text


class TestALetter:
    async def test_the_field_is_marked_beside_the_reason(self, pages: Pages) -> None:
        text = (await pages.get(FIRST)).text
        assert re.findall("<mark>(.*?)</mark>", text) == [
            "    &#34;ended_at&#34;: &#34;2025-03-10T09:40:00-04:00&#34;,"
        ]
        assert "at least one second after data.started_at" in text

    async def test_a_message_of_segments_has_its_field_marked(self, pages: Pages) -> None:
        text = (await pages.get(f"{PAGE}/letters/7")).text
        assert re.findall("<mark>(.*?)</mark>", text) == ["12^ROE^R^^^^^^RIVER"]

    async def test_the_bytes_can_be_had_as_they_came(self, pages: Pages, log: GrowingLog) -> None:
        for number in range(1, 8):
            if number in (5, 6):
                continue
            answer = await pages.get(f"{PAGE}/letters/{number}/raw")
            assert answer.content == letter(log.store, number).value
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["cache-control"] == "no-store"

    async def test_markup_in_what_came_is_text(self, pages: Pages, log: GrowingLog) -> None:
        said = "</textarea></pre><script>x()</script>"
        for number, value in enumerate((said, entry("m", started_at=said)), 8):
            refused(log, value, f"file:{said}:1", key=b"p1/ready")
            text = (await pages.get(f"{PAGE}/letters/{number}")).text
            assert "<script>x" not in text
            assert text.count("&lt;script&gt;x()") >= 3
            assert text.count("</textarea>") == 1
        assert "<script>x" not in (await pages.get(PAGE)).text

    async def test_each_look_is_written_down_and_no_address_tells_what_came(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        for path in (PAGE, FIRST, f"{FIRST}/raw"):
            before = len(list(accesses(log.store)))
            text = (await pages.get(path)).text
            noted = list(accesses(log.store))
            assert len(noted) == before + 1
            assert noted[-1].wanted["practice"] == "p1"
            assert SECRET not in str(noted[-1])
            assert not re.search(rf'(href|action)="[^"]*({SECRET}|march\.jsonl)', text)


class TestCorrecting:
    async def test_a_correction_changes_the_month_and_lies_beside_the_original(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        pages.become(person(Role.ADMIN, "p1"))
        answer = await pages.post(f"{FIRST}/correct", data=form(entry()))
        assert answer.headers["location"] == f"{FIRST}?done=corrected"
        assert seconds(log.parts) == 600 + 1_200
        kept = letter(log.store, 1)
        assert b"T09:40:00" in (kept.value or b"")
        (act,) = open_letters(log.store).acts(1)
        assert (act.by, act.reason, act.kind) == ("Ada Byron", WHY, "corrected")
        text = (await pages.get(answer.headers["location"])).text
        assert f"/patients/p1/ready/{MONTH}" in text
        assert "The correction was taken." in text
        assert "<textarea" not in text
        pages.become(person(Role.INTEGRATOR, "p1"))
        assert "/patients/" not in (await pages.get(FIRST)).text  # they may not look at patients

    async def test_a_second_press_does_nothing_whatever_it_sends(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        other = entry("another", entry_id="another")
        for text in (entry(), entry(), other):
            answer = await pages.post(f"{FIRST}/correct", data=form(text))
            assert answer.status_code == 303
        assert answer.headers["location"].endswith("done=already")
        assert seconds(log.parts) == 600 + 1_200
        assert len(open_letters(log.store).acts(1)) == 1

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (None, "at least one second after"),
            ("{", "expected one JSON value"),
            ("", "an empty message"),
            (entry(activity=7), "data.activity: expected"),
            ({**entry(), "practiceid": "p2"}, "practiceid: expected a practice that you may see"),
            ({**entry(), "type": "time.guessed.v1"}, "type: expected an event type"),
        ],
    )
    async def test_what_is_wrong_stands_next_to_the_text_and_nothing_is_taken(
        self, pages: Pages, log: GrowingLog, text: object, words: str
    ) -> None:
        answer = await pages.post(f"{FIRST}/correct", data=form(text))
        assert answer.status_code == 422
        if text is not None:
            assert re.search(rf'id="text-wrong">[^<]*{words}', answer.text)
        assert words in answer.text
        assert f'value="{WHY}"' in answer.text
        assert letter(log.store, 1).is_open
        assert seconds(log.parts) == 600
        assert list(log.store.assessments("p2", "ready")) == []

    async def test_without_a_reason_nothing_is_done(self, pages: Pages, log: GrowingLog) -> None:
        for reason in ("  ", "x" * 301):
            answer = await pages.post(f"{FIRST}/correct", data=form(entry(), reason))
            assert answer.status_code == 422
            assert 'id="reason-wrong">Say why, in 1 to 300 characters.' in answer.text
            assert "T10:20:00-04:00" in answer.text
        assert letter(log.store, 1).is_open

    async def test_text_that_was_no_json_is_mended_where_it_broke(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        assert BROKEN.replace('"', "&#34;") in (await pages.get(f"{PAGE}/letters/4")).text
        answer = await pages.post(f"{PAGE}/letters/4/correct", data=form(entry("q4")))
        assert answer.status_code == 303
        assert seconds(log.parts) == 600 + 1_200

    async def test_a_message_of_segments_goes_in_with_its_own_ends_of_lines(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        mended = STRANGE.decode().replace("12^ROE", "9^ROE").replace("\r", "\n")
        answer = await pages.post(f"{PAGE}/letters/7/correct", data=form(mended))
        assert answer.headers["location"].endswith("done=corrected")
        (act,) = open_letters(log.store).acts(7)
        assert act.value == STRANGE.replace(b"12^ROE", b"9^ROE")
        assert seconds(log.parts) == 600 + 1_200

    async def test_what_a_message_still_lacks_stands_next_to_it(self, pages: Pages) -> None:
        mended = STRANGE.decode().replace("12^ROE", "13^ROE").replace("\r", "\n")
        answer = await pages.post(f"{PAGE}/letters/7/correct", data=form(mended))
        assert answer.status_code == 422
        assert 'id="text-wrong">FT1-20' in answer.text


class TestOtherActs:
    async def test_replayed_as_it_is_it_is_taken_where_the_mapping_knows_by_now(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        answer = await pages.post(f"{FIRST}/replay", data=form())
        assert answer.status_code == 422
        assert "Refused as it is: data.ended_at" in answer.text
        kept = letter(log.store, 1)
        assert kept.is_open
        assert open_letters(log.store).acts(1) == []

    async def test_set_aside_it_leaves_the_list_until_it_is_taken_up(self, pages: Pages) -> None:
        await pages.post(f"{FIRST}/set-aside", data=form(reason="a test message"))
        assert "/letters/1" not in (await pages.get(PAGE)).text
        text = (await pages.get(FIRST)).text
        assert "Set aside</b> by Ada Byron: a test message" in text
        again = await pages.post(f"{FIRST}/set-aside", data=form())
        assert again.headers["location"].endswith("done=already")
        await pages.post(f"{FIRST}/take-up", data=form())
        assert "/letters/1" in (await pages.get(PAGE)).text

    async def test_a_command_takes_no_letter_that_was_set_aside(
        self, pages: Pages, command: Command
    ) -> None:
        await pages.post(f"{FIRST}/set-aside", data=form(reason="no"))
        ran = command("dead-letters", "list", "--json")
        assert [line["id"] for line in ran.lines()] == [2, 3, 4, 5, 6, 7]
        ran = command("dead-letters", "show", "1")
        assert b"set-aside" in ran.out
