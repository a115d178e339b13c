"""The close over HTTP: forms, refusals beside the field, rights, the access log, the download."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing as closing_connection

import httpx
import pytest

from infra.eventstore import open_store
from services.access import Role
from services.audit.access import accesses
from services.audit.telling import told
from services.histories import history_of
from tests.audit.growing import GrowingLog
from tests.given import ready, staff
from tests.pages.asked import Pages, person
from tests.pages.closing import closing, of, row_of, selected
from tests.services.command import Command, command

__all__ = ["command"]

PAGE = "/close/p1/2025-03"


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield closing(store)
    store.close()


@pytest.fixture
def pages(log: GrowingLog) -> Pages:
    made = Pages(log.parts)
    made.become(person(Role.BILLER, "p1"))
    return made


def texts(log: GrowingLog, *patients: str) -> list[str]:
    return [one.text for one in selected(log, *patients)]


async def sent(pages: Pages, to: str, **fields: object) -> httpx.Response:
    """A form with what the page gives and what the person put in."""
    page = (await pages.get(PAGE)).text
    found = re.search(r'name="act" value="([0-9a-f]+)"', page)
    assert found is not None
    usual = {"act": found[1], "section": "ready", "reason": "month close"}
    return await pages.post(f"{PAGE}/{to}", data={**usual, "submitted_on": "2025-04-04", **fields})


class TestThePage:
    async def test_it_shows_every_section_with_counts_and_dollars(self, pages: Pages) -> None:
        text = (await pages.get(PAGE)).text
        for words in (
            "2 · $166.91",
            "1 · $45.93 too much",
            "consent-missing",
            "February 2025",
            "59 days left",
            "2025-06-02",
        ):
            assert words in text

    async def test_nothing_is_selected_for_anybody(self, pages: Pages) -> None:
        assert " checked" not in (await pages.get(PAGE)).text
        assert (await pages.get(PAGE + "?select=all")).text.count(" checked") == 2

    async def test_the_read_is_written_down(self, pages: Pages, log: GrowingLog) -> None:
        await pages.get(PAGE)
        assert list(accesses(log.store))[-1].wanted == {"practice": "p1", "month": "2025-03"}

    async def test_an_empty_month_says_so(self, pages: Pages) -> None:
        assert "No month is ready." in (await pages.get("/close/p1/2024-01")).text

    async def test_the_address_alone_leads_to_the_running_month(self, pages: Pages) -> None:
        assert (await pages.get("/close")).headers["location"] == "/close/p1/2025-04"


class TestWhoMay:
    @pytest.mark.parametrize("role", [Role.COORDINATOR, Role.AUDITOR, Role.PRACTITIONER])
    async def test_only_who_may_close_sees_or_does_anything(
        self, pages: Pages, log: GrowingLog, role: Role
    ) -> None:
        pages.become(person(role, "p1"))
        assert (await pages.get(PAGE)).status_code == 403
        chosen = {"select": texts(log, "ready")}
        for to in ("claim", "reopen", "export"):
            assert (await pages.post(f"{PAGE}/{to}", data=chosen)).status_code == 403
        assert row_of(log, "ready").status == "billable"

    async def test_another_practices_month_is_not_there(self, pages: Pages) -> None:
        pages.become(person(Role.BILLER, "p2"))
        assert (await pages.get(PAGE)).status_code == 404
        assert (await pages.post(f"{PAGE}/claim", data={"a": "b"})).status_code == 404


class TestActs:
    async def test_selected_months_are_claimed_in_the_persons_name(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        answer = await sent(pages, "claim", select=texts(log, "ready", "other"))
        assert answer.status_code == 303
        assert "2 months marked as claimed." in (await pages.get(answer.headers["location"])).text
        event = list(told(history_of(log.store, "p1", "other"), "UTC").values())[-1]
        assert (event.by, event.reason) == ("Ada Byron", "month close")

    async def test_a_claim_is_reopened_with_a_reason(self, pages: Pages, log: GrowingLog) -> None:
        chosen = texts(log, "claimed")
        answer = await sent(pages, "reopen", select=chosen, section="claimed", reason="wrong code")
        assert answer.status_code == 303
        assert row_of(log, "claimed").status == "billable"

    async def test_a_month_that_changed_since_is_named_and_nothing_is_done(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        chosen = texts(log, "ready", "other")
        log.take(of("other", [staff("t8", "2025-03-20", 60)]), log.now_us)
        answer = await sent(pages, "claim", select=chosen, reason="because")
        assert answer.status_code == 409
        assert "1 month is not as shown" in answer.text
        assert "changed since the page was shown; it is billable now" in answer.text
        assert 'value="because"' in answer.text
        assert answer.text.count(" checked") == 1
        assert row_of(log, "ready").status == "billable"

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"reason": "  "}, "Say why, in 1 to 300 characters."),
            ({"reason": "x" * 301}, "Say why, in 1 to 300 characters."),
            ({"submitted_on": "04/04/2025"}, "Expected a day as YYYY-MM-DD."),
            ({"submitted_on": "2025-02-28"}, "Expected a day from 2025-03-01 to today."),
            ({"submitted_on": "2026-01-01"}, "Expected a day from 2025-03-01 to today."),
            ({"select": []}, "Select at least one month."),
            ({"select": ["nonsense"]}, "select: expected a month of the page"),
            ({"act": "1"}, "The form is not one of ours: load the page anew."),
        ],
    )
    async def test_what_is_wrong_stands_next_to_the_field(
        self, pages: Pages, log: GrowingLog, fields: dict[str, object], words: str
    ) -> None:
        answer = await sent(pages, "claim", **{"select": texts(log, "ready"), **fields})
        assert answer.status_code == 422
        assert f"{words}</span>" in answer.text or words in answer.text
        assert row_of(log, "ready").status == "billable"

    async def test_other_bodies_are_no_forms(self, pages: Pages) -> None:
        assert (await pages.post(f"{PAGE}/claim", json={})).status_code == 400
        kind = {"content-type": "application/x-www-form-urlencoded"}
        long = await pages.post(f"{PAGE}/claim", content=b"a=" + b"x" * 5_000_000, headers=kind)
        assert long.status_code == 400
        bad = await pages.post(f"{PAGE}/claim", content=b"reason=%ff", headers=kind)
        assert bad.status_code == 400

    async def test_a_reload_of_the_sent_form_is_one_act(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        form = {
            "act": "0" * 31 + "7",
            "reason": "once",
            "submitted_on": "2025-04-04",
            "select": texts(log, "ready"),
        }
        for _ in range(2):
            assert (await pages.post(f"{PAGE}/claim", data=form)).status_code == 303
        names = [event.name for event in log.store.log(0, 1_000)]
        assert names.count("month.claimed.v1") == 3  # two of them were there before

    async def test_markup_in_a_reason_is_text(self, pages: Pages, log: GrowingLog) -> None:
        await sent(pages, "claim", select=texts(log, "ready"), reason="<i>why</i>")
        text = (await pages.get(PAGE)).text
        assert "&lt;i&gt;why&lt;/i&gt;" in text
        assert "<i>why" not in text


async def test_an_outage_is_told_in_a_page_and_logged_by_its_kind_alone(
    pages: Pages, log: GrowingLog, command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = {"select": texts(log, "ready"), "act": "7" * 32, "reason": "why"}
    file = command.database.removeprefix("sqlite:///")
    with closing_connection(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE assessments RENAME TO away")
    for answer in (
        await pages.get(PAGE),
        await pages.post(f"{PAGE}/claim", data={**chosen, "submitted_on": "2025-04-04"}),
    ):
        assert answer.status_code == 503
        assert "The store does not answer" in answer.text
    assert {record.message for record in caplog.records} == {
        "a page cannot be answered: OperationalError"
    }


class TestTheDownload:
    async def test_selected_months_come_as_lines(self, pages: Pages, log: GrowingLog) -> None:
        answer = await sent(pages, "export", select=texts(log, "ready"))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        disposition = answer.headers["content-disposition"]
        assert disposition == 'attachment; filename="claims-p1-2025-03.csv"'
        lines = list(csv.DictReader(io.StringIO(answer.text)))
        assert [(line["code"], line["amount"]) for line in lines] == [
            ("99490", "60.49"),
            ("99439", "45.93"),
        ]
        assert row_of(log, "ready").status == "billable"

    async def test_what_changed_is_not_exported(self, pages: Pages, log: GrowingLog) -> None:
        chosen = texts(log, "ready")
        log.take(of("ready", [staff("t8", "2025-03-20", 60)]), log.now_us)
        assert (await sent(pages, "export", select=chosen)).status_code == 409
        assert (await sent(pages, "export", select=[])).status_code == 422

    async def test_an_id_that_looks_like_a_formula_is_shown_and_exported_as_text(
        self, pages: Pages, log: GrowingLog
    ) -> None:
        log.take(of("=1+1", [*ready("2025-03"), staff("t1", "2025-03-05", 1_260)]), log.now_us)
        answer = await sent(pages, "export", select=texts(log, "=1+1"))
        assert next(csv.DictReader(io.StringIO(answer.text)))["patient_id"] == "'=1+1"
