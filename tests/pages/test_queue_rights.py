"""Who may work a queue, and whose letters they see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.eventstore import open_store
from services.access import Role
from tests.audit.growing import GrowingLog
from tests.pages.asked import ADMIN, Pages, person
from tests.pages.queueing import PAGE, entry, form, letter, queue, refused, seconds
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
    return Pages(log.parts, person(Role.INTEGRATOR, "p1"))


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.BILLER, Role.AUDITOR])
async def test_only_who_may_work_the_queue_sees_or_does_anything(
    pages: Pages, log: GrowingLog, role: Role
) -> None:
    pages.become(person(role, "p1"))
    for path in (PAGE, FIRST, f"{FIRST}/raw"):
        assert (await pages.get(path)).status_code == 403
    for to in ("correct", "replay", "set-aside", "take-up"):
        assert (await pages.post(f"{FIRST}/{to}", data=form(entry()))).status_code == 403
    assert letter(log.store, 1).is_open


@pytest.mark.parametrize("number", ["5", "6", "99", "0", "x", "9" * 30])
async def test_a_letter_of_another_practice_or_of_none_is_not_there(
    pages: Pages, log: GrowingLog, number: str
) -> None:
    here = f"{PAGE}/letters/{number}"
    for path in (here, f"{here}/raw"):
        assert (await pages.get(path)).status_code == 404
    for to in ("correct", "replay", "set-aside", "take-up"):
        answer = await pages.post(f"{here}/{to}", data=form(entry()))
        assert answer.status_code == 404
    assert all(one.is_open for one in log.store.dead_letters())


async def test_what_names_no_practice_is_shown_to_who_sees_every_one(log: GrowingLog) -> None:
    pages = Pages(log.parts)
    text = (await pages.get(PAGE)).text
    assert "/letters/6" in text
    assert "names no practice of ours" in text
    assert "/letters/5" not in text
    refused(log, entry("q8", "px", started_at="noon"), "http")
    assert "/letters/8" in (await pages.get(PAGE)).text  # a practice without patients
    pages.become(person(Role.INTEGRATOR, "p1", "px"))
    assert "/letters/8" not in (await pages.get(PAGE)).text
    pages.become(ADMIN)
    answer = await pages.post(f"{PAGE}/letters/6/correct", data=form(entry("q6")))
    assert answer.status_code == 303
    assert seconds(log.parts) == 600 + 1_200
