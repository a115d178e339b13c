"""Projections made anew beside their live generation, and killed on the way."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.eventstore import open_store
from infra.eventstore.projected import open_projected
from projections.ports import Batch, Store
from projections.projected import place
from projections.rebuilding import RebuildTaken
from services.projecting.following import live_generation
from services.projecting.panels import FIGURES
from services.projecting.remaking import remake
from tests.postgres import postgres_server, postgres_url
from tests.services.command import Command, command
from tests.services.projected import (
    Feed,
    Make,
    billing,
    crowd,
    followed,
    overlaps,
    panel,
    panels,
    store,
    sums,
    told,
)
from tests.services.serving import eventually, serving

__all__ = ["command", "postgres_server", "postgres_url", "store"]


@pytest.mark.parametrize("make", [overlaps, billing, panels], ids=["overlaps", "billing", "panel"])
def test_a_projection_is_made_anew_beside_its_live_generation(store: Store, make: Make) -> None:
    """Equal rows, no transition, and the live one goes on from there as if nothing had been."""
    feed, projection = Feed(store), make(store)
    feed.chart("a")
    feed.chart("a", "p2")
    crowd(feed, seed=3, events=60)
    before = followed(store, projection)
    port = open_projected(store)
    tables = [port.live_rows(projection.name, table) for table in projection.tables]
    remade = remake(store, port, make(store), "rules a")
    assert remade is not None
    assert remade.differing == 0
    assert live_generation(store, projection) == 1
    assert told(store) == before
    again = [port.live_rows(projection.name, table) for table in projection.tables]
    assert [[replace(r, generation=0) for r in rows] for rows in again] == tables
    crowd(feed, seed=4, events=60)
    after = followed(store, projection, 7)
    other = open_store("memory:")
    same = Feed(other)
    same.chart("a")
    same.chart("a", "p2")
    crowd(same, seed=3, events=60)
    crowd(same, seed=4, events=60)
    assert after == followed(other, make(other))


def test_a_projection_that_went_wrong_is_put_right(store: Store) -> None:
    feed, projection = Feed(store), panels(store)
    feed.chart("a")
    feed.take(feed.work("t1", (0, 25)))
    followed(store, projection)
    port = open_projected(store)
    (row,) = port.live_rows(projection.name, FIGURES)
    store.commit(Batch(projected=[replace(row, key="2031-01"), replace(row, body=None)]))
    remade = remake(store, port, panels(store), "rules a")
    assert remade is not None
    assert remade.differing == 2
    assert panel(port) == sums(store)
    assert remake(store, port, overlaps(store), "rules a") is None


def test_a_rebuild_of_a_projection_goes_on_where_it_was_broken_off(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.projecting.remaking.EVENTS_AT_ONCE", 10)
    feed, projection = Feed(store), overlaps(store)
    crowd(feed, seed=6, events=50)
    before = followed(store, projection)
    port = open_projected(store)

    def stop(position: int) -> None:
        if position >= 20:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            remake(store, port, overlaps(store), "rules a", stop)
    places: list[int] = []
    remade = remake(store, port, overlaps(store), "rules a", places.append)
    assert places[0] > 30
    assert remade is not None
    assert remade.differing == 0
    assert told(store) == before
    with pytest.raises(RebuildTaken):
        _race(store, monkeypatch)


def _race(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process finishes the same rebuild while this one compares."""
    port = open_projected(store)
    differing = type(port).differing

    def slow(*_: Any) -> int:
        monkeypatch.setattr(type(port), "differing", differing)
        remake(store, open_projected(store), overlaps(store), "rules b")
        return 0

    monkeypatch.setattr(type(port), "differing", slow)
    remake(store, port, overlaps(store), "rules b")


def test_the_command_makes_projections_anew_too(command: Command) -> None:
    store = open_store(command.database)
    crowd(Feed(store), seed=2, events=60)
    followed(store, overlaps(store))
    followed(store, panels(store))
    before = store.transitions(0, 10_000)
    ran = command("rebuild", "--json")
    assert ran.lines()[-1]["projections"] == {"staff-overlap": 0, "panel": 0}
    assert "staff-overlap: 0 differed" in command("rebuild").err
    assert live_generation(store, overlaps(store)) == 2
    assert store.transitions(0, 10_000) == before
    assert panel(open_projected(store)) == sums(store)
    store.close()


def test_killed_again_and_again_it_decides_each_transition_once(tmp_path: Path) -> None:
    """kill -9 of the serving process while it follows the log, later each time, then it goes on."""
    database = f"sqlite:///{tmp_path}/care.db"
    store = open_store(database)
    crowd(Feed(store), seed=11, events=2_500, at_once=50)
    environment = {"CARETALLY_DATABASE": database, "CARETALLY_HTTP": "off"}
    feed = place("staff-overlap", 0)
    places = []
    while len(places) < 30 and sum(place > 0 for place in places) < 3:
        with serving(environment, "--role", "projector") as running:
            running.until("started")
            time.sleep(0.03 * len(places))
            running.stop(signal.SIGKILL)
        places.append(store.tracking(feed) or 0)
    with serving(environment, "--role", "projector") as running:
        running.until("started")
        eventually(lambda: store.tracking(feed) == store.head())
        eventually(lambda: store.tracking(place("panel", 0)) == store.head())
        assert running.stop() == 0
    assert any(0 < at < store.head() for at in places)
    other = open_store("memory:")
    crowd(Feed(other), seed=11, events=2_500, at_once=50)
    assert told(store) == followed(other, overlaps(other))
    assert panel(open_projected(store)) == sums(store)
    store.close()
