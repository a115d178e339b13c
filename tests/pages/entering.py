"""A patient with every prerequisite in March, 18 minutes logged, and forms sent about them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from infra.eventstore import open_store
from services.access import Role
from services.histories import history_of
from tests.audit.growing import FIRST_US, GrowingLog
from tests.given import clocked, ready
from tests.pages.asked import Pages, person
from tests.services.command import Command, command

__all__ = ["command", "log", "pages"]

MONTH = "2025-03"
PAGE = f"/patients/p1/pt1/{MONTH}"
FORMS = f"/enter/p1/{MONTH}/pt1"
TIME = {"on": "2025-03-06", "start": "10:00", "minutes": "2:30"}
BEFORE = clocked("t1", "2025-03-05T09:00:00-05:00", "2025-03-05T09:18:00-05:00")


def lived(log: GrowingLog) -> GrowingLog:
    """It is 17:26 in New York on 6 March."""
    log.take([*ready(MONTH), BEFORE], FIRST_US)
    return log


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield lived(GrowingLog(store))
    store.close()


@pytest.fixture
def pages(log: GrowingLog) -> Pages:
    return Pages(log.parts, person(Role.COORDINATOR, "p1"))


def fields(page: str) -> dict[str, str]:
    """What the form on a page holds, as a browser would send it."""
    form = page.split('id="form"')[1].split("</form>")[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        held = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
        if held.get("type") != "checkbox" or " checked" in tag:
            found[held["name"]] = html.unescape(held.get("value", ""))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S
    ):
        found[name] = html.unescape(text)
    return found


async def filled(pages: Pages, form: str, query: str = "", **given: str) -> dict[str, str]:
    """A form as it is shown, with what a person puts in."""
    answer = await pages.get(f"{FORMS}/{form}{query}")
    assert answer.status_code == 200, answer.text
    return fields(answer.text) | given


async def sent(pages: Pages, form: str, query: str = "", **given: str) -> httpx.Response:
    return await pages.post(f"{FORMS}/{form}", data=await filled(pages, form, query, **given))


def wrong(answer: httpx.Response) -> dict[str, str]:
    """What stands next to which field."""
    found = re.findall(r'<span class="wrong" id="([\w-]+)-wrong">(.*?)</span>', answer.text)
    for name, _ in found:
        assert re.search(rf'id="{name}"[^>]*aria-describedby="[^"]*{name}-wrong', answer.text)
    return {name: html.unescape(says) for name, says in found}


def last(log: GrowingLog) -> dict[str, Any]:
    """The `data` and type of the last event of the patient."""
    row = history_of(log.store, "p1", "pt1").stored[-1]
    return {"type": row.name, **msgspec.json.decode(row.state)["data"]}


def head(log: GrowingLog) -> int:
    return log.store.head()
