"""A real Alertmanager, and the receiver it notifies: raised, told once, resolved, and silence
about what is history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.clock import system_clock
from projections.deliveries import Deliveries
from projections.ports import Store
from services.notify.alertmanager import SINK, AlertmanagerSink, alert, ends_at_us
from tests.alertmanager import Alertmanager, started
from tests.notify.given import store_them, transition
from tests.receiver import Receiver, until


@pytest.fixture
def manager(tmp_path: Path, endpoint: Receiver) -> Iterator[Alertmanager]:
    yield from started(tmp_path, endpoint.url)


@asynccontextmanager
async def telling(
    store: Store, ledger: Deliveries, *urls: str, every: float = 60.0
) -> AsyncIterator[AlertmanagerSink]:
    sink = AlertmanagerSink(urls, store, ledger, system_clock, every)
    await sink.start()
    await until(lambda: sink._told_at > 0 or sink.outage != "")
    yield sink
    await sink.stop()


def notified(endpoint: Receiver) -> list[tuple[str, str]]:
    """(status, alert id) of everything Alertmanager passed on, in order."""
    return [
        (one["status"], one["labels"]["alert_id"])
        for got in endpoint.got
        for one in got.json["alerts"]
    ]


ALERT = "p1-pt1-threshold.reached"


async def test_an_alert_is_raised_told_once_however_often_it_is_sent_and_resolved(
    store: Store, ledger: Deliveries, manager: Alertmanager, endpoint: Receiver
) -> None:
    async with telling(store, ledger, manager.url, every=0.1):
        store_them(store, [transition(1)])
        await until(lambda: notified(endpoint) == [("firing", ALERT)])
        await asyncio.sleep(1.0)  # told again some times
        assert notified(endpoint) == [("firing", ALERT)]
        store_them(store, [transition(2)])
        await until(lambda: len(notified(endpoint)) == 2)
        assert notified(endpoint)[1] == ("resolved", ALERT)
        store_them(store, [transition(3)])
        await until(lambda: len(notified(endpoint)) == 3)
        assert notified(endpoint)[2] == ("firing", ALERT)


async def test_labels_name_no_patient_and_every_alert_has_an_end(
    store: Store, ledger: Deliveries, manager: Alertmanager
) -> None:
    row = transition(1, patient="pt-4711")
    async with telling(store, ledger, manager.url):
        store_them(store, [row])
        await until(lambda: bool(manager.alerts()))
    (found,) = manager.alerts()
    assert found["labels"] == {
        "alertname": "threshold.reached",
        "severity": "info",
        "practice": "p1",
        "month": row.state.month,
        "code": "99490",
        "unit": "1",
        "alert_id": row.state.alert_id,
    }
    assert found["annotations"] == {"state": "raised", "transition": "1"}
    at = datetime.fromtimestamp(row.recorded_at_us / 1e6, UTC)
    assert datetime.fromisoformat(str(found["startsAt"])).replace(microsecond=0) == at.replace(
        microsecond=0
    )
    assert datetime.fromisoformat(str(found["endsAt"])).timestamp() == pytest.approx(
        ends_at_us(row) / 1e6, abs=1
    )


async def test_history_fires_nothing(
    store: Store, ledger: Deliveries, manager: Alertmanager, endpoint: Receiver
) -> None:
    """Neither what was stored before the sink began, nor an alert whose end is long past, nor
    one that was resolved before it was told, nor all of it again after a restart."""
    store_them(store, [transition(1, f"old{n}") for n in range(20)])
    long_ago_us = system_clock() - 400 * 86_400_000_000
    async with telling(store, ledger, manager.url):
        past = transition(1, "past", month="2020-01", at_us=long_ago_us)
        store_them(store, [past, transition(1, "brief"), transition(2, "brief")])
        store_them(store, [transition(1, "now")])
        await until(lambda: len(notified(endpoint)) == 1)
    async with telling(store, ledger, manager.url, every=0.1):
        await asyncio.sleep(1.0)
    assert notified(endpoint) == [("firing", "p1-now-threshold.reached")]


async def test_an_alertmanager_that_forgot_everything_is_told_what_stands(
    store: Store, ledger: Deliveries, manager: Alertmanager
) -> None:
    """It keeps alerts in memory alone. Ours come back, and what came meanwhile comes too."""
    async with telling(store, ledger, manager.url, every=0.2) as sink:
        store_them(store, [transition(1, "a"), transition(1, "b")])
        await until(lambda: len(manager.alerts()) == 2)
        manager.kill()
        store_them(store, [transition(2, "a"), transition(1, "c")])
        await until(lambda: sink.outage == "127.0.0.1: ConnectError")
        assert not sink.ready()[0]
        manager.start()
        await until(lambda: _ids(manager) == {"b", "c"})
        await until(lambda: sink.outage == "")


async def test_a_restarted_sink_goes_on_and_knows_what_stands(
    store: Store, ledger: Deliveries, manager: Alertmanager, endpoint: Receiver
) -> None:
    async with telling(store, ledger, manager.url):
        store_them(store, [transition(1, "a"), transition(1, "b")])
        await until(lambda: len(manager.alerts()) == 2)
    assert store.delivered(SINK) == 2
    store_them(store, [transition(2, "a"), transition(1, "c")])
    async with telling(store, ledger, manager.url) as sink:
        await until(lambda: _ids(manager) == {"b", "c"})
        assert set(sink._standing) == {f"p1-{p}-threshold.reached" for p in ("b", "c")}
        await until(lambda: ("resolved", "p1-a-threshold.reached") in notified(endpoint))


async def test_one_of_a_cluster_is_enough(
    store: Store, ledger: Deliveries, manager: Alertmanager
) -> None:
    async with telling(store, ledger, "http://127.0.0.1:1", manager.url) as sink:
        store_them(store, [transition(1)])
        await until(lambda: _ids(manager) == {"pt1"})
        await until(lambda: sink.outage == "")


def _ids(manager: Alertmanager) -> set[str]:
    found: list[Any] = manager.alerts()
    return {a["labels"]["alert_id"].split("-")[1] for a in found}


def test_an_alert_ends_a_month_after_its_month_or_after_it_was_raised() -> None:
    in_month = transition(1, month="2025-12", at_us=1_764_600_000_000_000)
    assert _day(ends_at_us(in_month)) == "2026-01-31"
    later = transition(1, month="2025-03", at_us=1_764_600_000_000_000)  # 2025-12-01
    assert _day(ends_at_us(later)) == "2025-12-31"


def _day(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d")


def test_a_resolution_begins_when_the_alert_was_raised_and_never_after_its_end() -> None:
    row = transition(2, at_us=1_764_600_000_000_000)
    known = alert(row, 1_764_500_000_000_000)
    assert known["startsAt"] < known["endsAt"] == "2025-12-01T14:40:00.000000Z"
    assert alert(row, row.recorded_at_us + 5)["startsAt"] == known["endsAt"]
    assert "code" not in alert(transition(1, type="claim.diverged", code=""), 0)["labels"]
