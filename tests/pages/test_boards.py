"""A board is a view of the log: caught up or made anew it is the same, and it says what changed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec
import pytest

from domain.explain.catalogue import BLOCKERS
from infra.eventstore.browsing import open_browsing
from projections.board import Row, Show
from projections.browsing import Wanted
from projections.forecast import Outlook
from services.access.principal import EVERYBODY_HERE, Principal, Role
from services.audit.access import accesses
from services.demo.clinic import PRACTICE
from services.pages.board.boards import Boards
from services.pages.board.changes import PATIENTS_MAX, Change, Changes, changed, event
from services.pages.board.telling import BLOCKER_WORDS, anchor
from services.pages.place import Place, Places
from tests.browser.site import TODAY, Site, made
from tests.pages.asked import Pages

BOARD = f"/board/{PRACTICE}/2025-11"


@pytest.fixture
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with made(tmp_path_factory.mktemp("boards"), 60) as found:
        yield found


def place(clinic: Site) -> Place:
    return Places(clinic.parts).of(EVERYBODY_HERE, PRACTICE, "2025-11")


def facts(rows: dict[str, Row]) -> dict[str, Row]:
    """The rows without their outlooks, which rest on what was known when the board was made."""
    return {patient: replace(row, outlook=Outlook()) for patient, row in rows.items()}


def test_a_board_that_caught_up_is_the_board_made_anew(clinic: Site) -> None:
    rng, told = random.Random(5), clinic.clinic.live()
    kept = Boards(clinic.parts)
    kept.seen(place(clinic))
    for _ in range(12):
        clinic.take(one.event for one in islice(told, rng.randrange(1, 15)))
        seen, anew = kept.seen(place(clinic)), Boards(clinic.parts).seen(place(clinic))
        assert facts(seen.rows) == facts(anew.rows)
        assert seen.order == anew.order
        assert replace(seen.totals, forecast=None) == replace(anew.totals, forecast=None)
        assert seen.position == anew.position == clinic.parts.store.head()


def test_a_board_holds_what_the_read_model_answers(clinic: Site) -> None:
    """Everybody with an assessment of the month is there, with its codes and dollars."""
    wanted = Wanted(practices=[PRACTICE], month="2025-11")
    rows = Boards(clinic.parts).seen(place(clinic)).rows
    found = open_browsing(clinic.parts.store).assessments(wanted, None, 1_000)
    assert len(found) > 50
    for at, body in found:
        answer = msgspec.json.decode(body)
        row = rows[at.patient_id]
        assert [list(line) for line in row.codes] == [
            [line["code"], line["units"]] for line in answer["codes"]
        ]
        paid = answer["payment"] and answer["payment"]["amount"]
        assert (str(row.amount) if row.amount is not None else None) == paid
        assert row.pooled == answer["seconds"]["pooled"]
        assert list(row.blockers) == answer["blockers"]


def test_every_blocker_has_words() -> None:
    assert BLOCKER_WORDS.keys() == BLOCKERS.keys()


@pytest.mark.parametrize("patient", ["pt-0001", "a b", "#x", "é", "x" * 300, '"><script>'])
def test_an_anchor_is_a_plain_word(patient: str) -> None:
    assert anchor(patient).replace("-", "").replace("_", "").isalnum()
    assert anchor(patient) != anchor(patient + "1")


def test_what_changed_is_named_once_and_from_where_it_was_left(clinic: Site) -> None:
    store, told = clinic.parts.store, clinic.clinic.live()
    head = store.head()
    assert changed(store, PRACTICE, head) == Change(head, ())
    messages = [one.event for one in islice(told, 9)]
    clinic.take(messages)
    found = changed(store, PRACTICE, head)
    assert found.patients is not None
    assert sorted(found.patients) == sorted({said["subject"] for said in messages})
    assert changed(store, PRACTICE, found.through) == Change(store.head(), ())
    assert changed(store, "another", head) == Change(store.head(), ())


def test_too_many_to_name_are_everything(clinic: Site) -> None:
    found = changed(clinic.parts.store, PRACTICE, 0)
    assert found.patients is not None
    assert len(found.patients) <= PATIENTS_MAX
    assert event(Change(7, None)) == b"id: 7\nevent: everything\ndata: \n\n"
    assert event(Change(7, ())) == b"id: 7\n\n"
    assert event(Change(7, ("a",))) == b'id: 7\nevent: rows\ndata: ["a"]\n\n'


async def heard(clinic: Site, after: int, days: list[Any], events: int) -> list[bytes]:
    """The first events of a stream; `days` is what the practice's clock says, call by call."""
    changes = Changes(clinic.parts.store, heartbeat_seconds=0.2)
    stream = changes._events(place(clinic), after, lambda: days.pop(0) if days[1:] else days[0])
    found: list[bytes] = []
    async for sent in stream:
        if not sent.startswith((b":", b"retry")):
            found.append(sent)
        if len(found) == events:
            break
    await stream.aclose()
    await changes.stop()
    return found


async def test_a_stream_goes_on_after_the_id_it_is_given(clinic: Site) -> None:
    head = clinic.parts.store.head()
    (message,) = [one.event for one in islice(clinic.clinic.live(), 1)]
    await asyncio.to_thread(clinic.take, [message])
    (sent,) = await heard(clinic, head, [TODAY], 1)
    assert sent == event(Change(head + 1, (message["subject"],)))


async def test_a_log_that_does_not_hold_the_id_is_another_log(clinic: Site) -> None:
    (sent,) = await heard(clinic, clinic.parts.store.head() + 1, [TODAY], 1)
    assert sent == b"event: anew\ndata: \n\n"


async def test_a_new_day_concerns_every_row(clinic: Site) -> None:
    head = clinic.parts.store.head()
    (sent,) = await heard(clinic, head, [TODAY, TODAY, TODAY.replace(day=25)], 1)
    assert sent == event(Change(head, None))


async def test_a_stream_ends_after_a_while_so_that_rights_are_asked_again(clinic: Site) -> None:
    changes = Changes(clinic.parts.store, heartbeat_seconds=0.05, life_seconds=0.2)
    stream = changes._events(place(clinic), clinic.parts.store.head(), lambda: TODAY)
    async with asyncio.timeout(10):
        sent = [one async for one in stream]
    assert set(sent[1:]) == {b": \n\n"}
    await changes.stop()


async def test_rows_are_asked_for_by_name_and_written_down_so(clinic: Site) -> None:
    pages = Pages(clinic.parts)
    answer = await pages.get(f"{BOARD}/rows?of=pt-0001&of=gone&show=all")
    assert answer.text.count("<tr ") == 1
    assert 'hx-target="#r-pt-0001" hx-swap="outerMorph"><tr id="r-pt-0001"' in answer.text
    assert 'hx-target="#r-gone" hx-swap="delete"' in answer.text
    assert list(accesses(clinic.parts.store))[-1].wanted["of"] == "pt-0001,gone"


async def test_a_query_cannot_make_the_access_log_say_that_others_were_read(clinic: Site) -> None:
    """What was read is what the path says; a query does not have the log's words for it."""
    await Pages(clinic.parts).get(f"{BOARD}?show=near&patient=pt-0001&practice=other&month=2020-01")
    wanted = {"practice": PRACTICE, "month": "2025-11", "show": "near"}
    assert list(accesses(clinic.parts.store))[-1].wanted == wanted


@pytest.mark.parametrize("query", ["show=some", "page=0", "page=-1", "page=x", "page=9999999"])
async def test_what_cannot_be_shown_is_refused_with_the_reason(clinic: Site, query: str) -> None:
    answer = await Pages(clinic.parts).get(f"{BOARD}?{query}")
    assert answer.status_code == 400
    assert f"{query.partition('=')[0]}: expected" in answer.text


async def test_a_page_beyond_the_last_is_the_last(clinic: Site) -> None:
    answer = await Pages(clinic.parts).get(f"{BOARD}?page=999")
    assert "data-row" in answer.text


@pytest.mark.parametrize("path", [BOARD, f"{BOARD}/rows", f"{BOARD}/changes"])
async def test_of_another_practice_there_is_nothing(clinic: Site, path: str) -> None:
    """Who is bound to another practice is not even told that this one exists."""
    elsewhere = Principal("ann", frozenset({Role.COORDINATOR}), frozenset({"another"}))
    answer = await Pages(clinic.parts, elsewhere).get(path)
    assert answer.status_code == 404


def test_every_show_is_of_rows_that_it_shows(clinic: Site) -> None:
    seen = Boards(clinic.parts).seen(place(clinic))
    for show in Show:
        assert len(seen.chosen(show)) == seen.totals.shown[show]
    assert [row.patient_id for row in seen.chosen(Show.ALL, "PT-0007")] == ["pt-0007"]
