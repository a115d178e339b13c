"""A process that starts takes a board up where it was kept, and shows what a fold of all shows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.policy import Policy
from infra.configfile import ConfigFile
from infra.eventstore import open_store
from infra.eventstore.kept_boards import open_kept_boards
from infra.settings import Settings
from projections.board import Row
from projections.forecast import Outlook
from projections.ports import StoredStream
from services.access.principal import EVERYBODY_HERE
from services.bootstrap import Parts
from services.demo.clinic import PRACTICE
from services.ingest.patients import HotPatient, revive
from services.pages.board import boards as module
from services.pages.board.boards import KEEP_AFTER_PATIENTS, Boards, Seen
from services.pages.board.keeping import form_of, packed, unpacked
from services.pages.place import Place, Places
from services.views import folded
from tests.audit.growing import GrowingLog
from tests.browser.site import TODAY, Site, made
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

MONTH = "2025-11"
DAY_US = 86_400_000_000


@pytest.fixture
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Sixty patients with two past months: enough for a forecast."""
    with made(tmp_path_factory.mktemp("kept"), 60) as found:
        yield found


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The streams that boards fold, in order."""
    found: list[str] = []

    def counting(stream: StoredStream) -> HotPatient:
        found.append(stream.stream_id)
        return revive(stream)

    monkeypatch.setattr(folded, "revive", counting)
    return found


def place(parts: Parts, month: str = MONTH) -> Place:
    return Places(parts).of(EVERYBODY_HERE, PRACTICE, month)


def look(parts: Parts, month: str = MONTH) -> Seen:
    """The first look of a process."""
    return Boards(parts).seen(place(parts, month))


def keep(parts: Parts, month: str = MONTH) -> Seen:
    boards = Boards(parts)
    seen = boards.seen(place(parts, month))
    boards.keep()
    return seen


def facts(seen: Seen) -> tuple[dict[str, Row], object, object]:
    """Without what rests on when the board was made: outlooks and forecast."""
    rows = {name: replace(row, outlook=Outlook()) for name, row in seen.rows.items()}
    return rows, list(seen.order), replace(seen.totals, forecast=None)


def test_the_first_look_of_a_process_folds_nobody(clinic: Site, folds: list[str]) -> None:
    """And shows everything as the process that made the board: rows, order, sums, forecast."""
    seen = keep(clinic.parts)
    assert len(folds) >= 60
    folds.clear()
    assert look(clinic.parts) == seen
    assert seen.totals.forecast is not None
    assert folds == []


def test_only_those_are_folded_of_whom_the_log_has_something_new(
    clinic: Site, folds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any events, taken up or folded whole: the same rows in the same order."""
    monkeypatch.setattr(module, "KEEP_AFTER_PATIENTS", 6)
    rng, told = random.Random(11), clinic.clinic.live()
    keep(clinic.parts)
    for _ in range(8):
        new = [one.event for one in islice(told, rng.randrange(1, 9))]
        clinic.take(new)
        folds.clear()
        seen = keep(clinic.parts)
        assert len(folds) <= 6 + len({said["subject"] for said in new})
        with monkeypatch.context() as unkept:
            unkept.setattr(module._Board, "_take_up", lambda _: None)
            whole = look(clinic.parts)
        assert facts(seen) == facts(whole)


def test_a_board_is_kept_again_once_others_would_have_much_to_fold(clinic: Site) -> None:
    boards, kept = Boards(clinic.parts), open_kept_boards(clinic.parts.store)

    def position() -> int:
        boards.seen(place(clinic.parts))
        boards.keep()
        found = kept.read(PRACTICE, MONTH)
        assert found is not None
        return found.position

    first, subjects = position(), set[str]()
    for one in clinic.clinic.live():
        clinic.take([one.event])
        subjects.add(one.event["subject"])
        if len(subjects) == 3:
            break
    assert position() == first
    clinic.take(one.event for one in islice(clinic.clinic.live(), 3, 3 + 6 * KEEP_AFTER_PATIENTS))
    assert position() == clinic.parts.store.head() > first


def made_anew(parts: Parts, folds: list[str], month: str = MONTH) -> bool:
    folds.clear()
    look(parts, month)
    return bool(folds)


def test_a_new_day_is_another_board_but_not_of_a_month_that_is_over(
    clinic: Site, folds: list[str]
) -> None:
    now = clinic.parts.clock()
    tomorrow = replace(clinic.parts, clock=lambda: now + DAY_US)
    for month in (MONTH, "2025-10"):
        keep(clinic.parts, month)
    assert made_anew(tomorrow, folds)
    assert not made_anew(tomorrow, folds, "2025-10")
    keep(tomorrow)
    assert not made_anew(tomorrow, folds)


def test_other_policies_are_other_boards(clinic: Site, folds: list[str]) -> None:
    keep(clinic.parts)
    other = Settings.model_construct(database=clinic.parts.settings.database)
    other._file = ConfigFile(policy=Policy(approaching_seconds=600))
    assert made_anew(replace(clinic.parts, settings=other), folds)
    assert not made_anew(clinic.parts, folds)


@pytest.mark.parametrize("bad", [b"", b"x" * 40, None])
def test_a_damaged_board_is_made_anew(clinic: Site, folds: list[str], bad: bytes | None) -> None:
    """Cut, overwritten, or another practice's bytes in its place."""
    seen = keep(clinic.parts)
    kept = open_kept_boards(clinic.parts.store)
    stored = kept.read(PRACTICE, MONTH)
    assert stored is not None
    body = stored.body if bad is None else bad
    kept.keep(stored._replace(position=stored.position + 1, body=body))
    clinic.take(one.event for one in islice(clinic.clinic.live(), 1))
    assert made_anew(clinic.parts, folds)
    assert look(clinic.parts).rows.keys() == seen.rows.keys()


def test_a_board_beyond_the_log_is_of_another_log(clinic: Site, folds: list[str]) -> None:
    """A backup of the log alone was put back."""
    keep(clinic.parts)
    kept = open_kept_boards(clinic.parts.store)
    stored = kept.read(PRACTICE, MONTH)
    assert stored is not None
    rows, _ = unpacked(stored)
    beyond = stored.position + 9
    place = (PRACTICE, MONTH, TODAY, form_of(clinic.parts.making))
    kept.keep(packed(place, beyond, rows, {}))
    assert made_anew(clinic.parts, folds)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), scenes(), st.integers(0, 40))
def test_whatever_the_panel_what_is_taken_up_is_what_was_folded(
    one: Scene, other: Scene, days: int
) -> None:
    """Two patients with any history, on any day of it."""
    with closing(open_store("sqlite:///:memory:")) as store:
        log = GrowingLog(store, one.policy)
        events = [
            replace(e, patient_id=name, id=f"{name}-{e.id}")
            for name, scene in (("a", one), ("b", other))
            for e in scene.events
        ]
        log.take(events, log.now_us)
        month = one.months[0]
        first = datetime.fromisoformat(f"{month}-01T17:00:00").replace(tzinfo=UTC)
        log.now_us = int((first + timedelta(days)).timestamp()) * 1_000_000
        where = Places(log.parts).of(EVERYBODY_HERE, "p1", month)
        boards = Boards(log.parts)
        seen = boards.seen(where)
        boards.keep()
        assert Boards(log.parts).seen(where) == seen
