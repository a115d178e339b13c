"""A second patient, and presses of a timer's buttons."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.audit.growing import FIRST_US, GrowingLog
from tests.given import ready
from tests.pages.asked import Pages
from tests.pages.entering import FORMS, MONTH, PAGE

__all__ = ["two_patients"]

OTHER = f"/patients/p1/pt2/{MONTH}"
MINUTE = 60_000_000
LOG = f"{FORMS}/timer"


@pytest.fixture(autouse=True)
def two_patients(log: GrowingLog) -> None:
    log.take([replace(e, patient_id="pt2", id=f"b{e.id}") for e in ready(MONTH)], FIRST_US)


def bar(text: str) -> str:
    """The timer's bar, its words alone."""
    found = text.split('<div class="measured"')[1].split("</div>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", "<div" + found).split())


def timer_id(text: str) -> str:
    return re.findall(r'name="timer" value="(\w+)"', text)[0]


async def press(pages: Pages, act: str, patient: str = "pt1", **given: str) -> str:
    """A press of a timer's button on whatever page; where it led."""
    data = {"back": PAGE, **given}
    if act != "start" and "timer" not in data:
        data["timer"] = timer_id((await pages.get(PAGE)).text)
    answer = await pages.post(f"/timer/p1/{patient}/{act}", data=data)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def worked(pages: Pages, log: GrowingLog, *minutes: float) -> None:
    """Stretches of work with ten minutes of pause between them, stopped and not logged."""
    await press(pages, "start")
    for number, each in enumerate(minutes):
        if number:
            await press(pages, "pause")
            log.now_us += 10 * MINUTE
            await press(pages, "resume")
        log.now_us += int(each * MINUTE)
    assert await press(pages, "stop") == LOG
