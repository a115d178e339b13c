"""A process that delivers webhooks and tells an Alertmanager, for tests that kill it."""

from __future__ import annotations

import asyncio
import sys

from infra.clock import system_clock
from infra.eventstore import open_store
from infra.eventstore.deliveries import open_deliveries
from services.notify.alertmanager import AlertmanagerSink
from services.notify.webhooks import Webhooks


async def deliver(database: str, alertmanager: str) -> None:
    store = open_store(database)
    ledger = open_deliveries(store)
    hooks = Webhooks(store, ledger, system_clock, True, (0.05,) * 9, rest_seconds=0.05)
    sink = AlertmanagerSink([alertmanager], store, ledger, system_clock)
    await asyncio.gather(hooks.run(), sink.run())


if __name__ == "__main__":
    asyncio.run(deliver(*sys.argv[1:]))
