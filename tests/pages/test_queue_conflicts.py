"""Conflicts of a month: staff at two patients at once, months that others bill."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from domain import facts as f
from infra.configfile import ConfigFile
from infra.eventstore import open_store
from projections.operators import Operator, Operators
from services.access import Role
from services.bootstrap import Parts
from services.projecting.following import live_generation, step
from services.views.conflicts import conflicts_of, count_conflicts
from tests.audit.growing import GrowingLog
from tests.given import OTHER_NPI, clocked, day, event, five_pm, ready, staff, voided
from tests.pages.asked import Pages, person
from tests.pages.closing import BEGIN_US, of
from tests.pages.queueing import MONTH, PAGE, entry, refused

NORTH = Operators((Operator("north", frozenset({"p1", "p2"})),))


def projected(parts: Parts) -> None:
    """As the projector leaves it."""
    for projection in parts.projections():
        while step(parts.store, projection, live_generation(parts.store, projection), 1_000):
            pass


def conflicting(folder: Path, operators: Operators = NORTH) -> GrowingLog:
    """One nurse is at `ann` and `bob` for twelve minutes of 5 March, and at `bob` and `ann` for
    five of the 6th; another practitioner billed `cat`; `dan` earned a code here and in p2."""
    log = GrowingLog(open_store(f"sqlite:///{folder}/store.db"))
    settings = log.parts.settings
    settings._file = ConfigFile(policy=log.policy, operators=operators)
    morning, noon = "2025-03-05T10:{}:00-05:00", "2025-03-06T12:{}:00-05:00"
    ann = [clocked("a1", morning.format("00"), morning.format("20"))]
    ann.append(clocked("a2", noon.format("25"), noon.format("40")))
    bob = [clocked("b1", morning.format("08"), morning.format("30"))]
    bob.append(clocked("b2", noon.format("00"), noon.format("30")))
    billed = f.ServiceBilled("99490", day("2025-03-31"), day("2025-03-31"), OTHER_NPI)
    twenty = staff("t1", "2025-03-10", 1_260)
    log.take(of("ann", [*ready(MONTH), *ann]), BEGIN_US)
    log.take(of("bob", [*ready(MONTH), *bob]), BEGIN_US)
    log.take(of("cat", [*ready(MONTH), twenty, event(billed, five_pm("2025-03-31"))]), BEGIN_US)
    log.take(of("dan", [*ready(MONTH), twenty]), BEGIN_US)
    theirs = [replace(one, id=f"p2-{one.id}") for one in [*ready(MONTH), twenty]]
    log.take(of("dan", theirs, "p2"), BEGIN_US)
    log.take(of("bob", [replace(one, id=f"o-{one.id}") for one in bob], "p3"), BEGIN_US)
    projected(log.parts)
    return log


@pytest.fixture
def log(tmp_path: Path) -> GrowingLog:
    return conflicting(tmp_path)


def found(log: GrowingLog, practice: str = "p1") -> list[tuple[str, str, int]]:
    overlaps = conflicts_of(log.parts, practice, MONTH, lambda _: True).overlaps
    return [(each.one.entry_id, each.other.entry_id, each.seconds) for each in overlaps]


def test_each_stretch_of_two_patients_at_once_is_told_once_with_its_seconds(
    log: GrowingLog,
) -> None:
    """Of this practice alone: the same nurse's work in p3 is nobody's conflict."""
    assert found(log) == [("a1", "b1", 720), ("b2", "a2", 300)]
    assert found(log, "p3") == []
    assert conflicts_of(log.parts, "p1", "2025-02", lambda _: True).count == 0


def test_what_is_corrected_is_no_conflict_any_more(log: GrowingLog) -> None:
    log.take(of("bob", [voided("b1", "2025-04-01T12:00:00Z")]), log.now_us)
    projected(log.parts)
    assert found(log) == [("b2", "a2", 300)]


def test_another_practices_name_is_told_to_who_may_see_it(log: GrowingLog) -> None:
    (doubled,) = conflicts_of(log.parts, "p1", MONTH, lambda _: True).doubled
    assert (doubled.patient_id, doubled.operator) == ("dan", "north")
    assert (doubled.others, doubled.unseen) == ([("p2", "dan")], 0)
    (doubled,) = conflicts_of(log.parts, "p1", MONTH, lambda practice: practice == "p1").doubled
    assert (doubled.others, doubled.unseen) == ([], 1)


def test_without_an_operator_nothing_is_compared(tmp_path: Path) -> None:
    log = conflicting(tmp_path, Operators())
    assert conflicts_of(log.parts, "p1", MONTH, lambda _: True).doubled == []


async def test_the_page_says_who_which_patients_which_minutes_and_what_to_do(
    log: GrowingLog,
) -> None:
    pages = Pages(log.parts, person(Role.ADMIN, "p1"))
    text = (await pages.get(PAGE)).text
    section = text[text.index('id="conflicts"') :]
    rows = [re.sub("<[^>]+>", " ", row) for row in re.findall("<tr>.*?</tr>", section)]
    told = [" ".join(row.split()) for row in rows]
    assert "cl ann and bob a1, b1 2025-03-05 10:08 to 10:20 12:00" in told
    assert any(row.startswith("cat blocked billed-elsewhere 99490") for row in told)
    assert "dan north 1 of a practice that you may not see" in told
    assert f'href="/patients/p1/ann/{MONTH}"' in section
    assert "America/New_York" in section
    assert "p2" not in section


async def test_conflicts_stand_alone_or_away_as_the_filter_says(log: GrowingLog) -> None:
    pages = Pages(log.parts)
    assert 'id="conflicts"' in (await pages.get(f"{PAGE}?kind=conflict")).text
    for query in ("kind=review", "reason=not-json", "state=done"):
        assert 'id="conflicts"' not in (await pages.get(f"{PAGE}?{query}")).text
    calm = (await pages.get("/queue/p1/2025-02")).text
    assert "Nobody was at two patients at once" in calm


async def test_they_are_counted_in_the_head_of_every_page(log: GrowingLog) -> None:
    """What was counted holds for a moment; whoever looks at the queue sees how it is."""
    refused(log, entry(started_at="noon"), "http")
    pages = Pages(log.parts, person(Role.ADMIN, "p1"))
    close = f"/close/p1/{MONTH}"
    assert '5<span class="unseen"> waiting' in (await pages.get(close)).text
    log.take(of("bob", [voided("b1", "2025-04-01T12:00:00Z")]), log.now_us)
    projected(log.parts)
    assert '5<span class="unseen"> waiting' in (await pages.get(close)).text
    await pages.get(PAGE)
    assert '4<span class="unseen"> waiting' in (await pages.get(close)).text


def test_the_count_is_of_what_is_shown(log: GrowingLog) -> None:
    for practice in ("p1", "p2", "p3"):
        shown = conflicts_of(log.parts, practice, MONTH, lambda _: True).count
        assert count_conflicts(log.parts, practice, MONTH, lambda _: True) == shown
