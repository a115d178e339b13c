"""Kept boards on every store: one a practice and month, and the one that is further on stays."""

from __future__ import annotations

from datetime import date

import pytest

from infra.eventstore import open_store
from infra.eventstore.kept_boards import open_kept_boards
from projections.keptboards import KeptBoard

KEPT = KeptBoard("p1", "2025-11", date(2025, 11, 24), "form a", 70, b"\x00rows")


def test_what_is_kept_is_read_by_whoever_opens_the_store(durable_url: str) -> None:
    store = open_store(durable_url)
    boards = open_kept_boards(store)
    assert boards.read("p1", "2025-11") is None
    boards.keep(KEPT)
    boards.keep(KEPT._replace(month="2025-10", position=80))
    boards.keep(KEPT._replace(practice_id="p2", body=b"others"))
    store.close()
    again = open_store(durable_url)
    assert open_kept_boards(again).read("p1", "2025-11") == KEPT
    again.close()


@pytest.mark.parametrize(
    ("later", "replaces"),
    [
        (KEPT._replace(position=71), True),
        (KEPT._replace(position=70, body=b"other"), False),
        (KEPT._replace(position=69), False),
        (KEPT._replace(day=date(2025, 11, 25), position=60), True),
        (KEPT._replace(day=date(2025, 11, 23), position=99), False),
        (KEPT._replace(form="form b", position=1), True),
    ],
)
def test_the_one_that_is_further_on_stays(
    durable_url: str, later: KeptBoard, replaces: bool
) -> None:
    store = open_store(durable_url)
    boards = open_kept_boards(store)
    boards.keep(KEPT)
    boards.keep(later)
    assert boards.read("p1", "2025-11") == (later if replaces else KEPT)
    store.close()
