"""Alert sinks: what tells the world of stored transitions, one strategy a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.clock import Clock
    from infra.settings import Settings
    from projections.ports import Store
    from services.notify.reactor import SinkReactor


def reactors(settings: Settings, store: Store, clock: Clock) -> list[SinkReactor]:
    """The sinks that the settings name; webhooks always, since subscribers come and go.

    Raises ValueError for a channel that cannot be.
    """
    from infra.eventstore.deliveries import open_deliveries
    from services.notify.webhooks import Webhooks

    ledger = open_deliveries(store)
    found: list[SinkReactor] = [Webhooks(store, ledger, clock, settings.webhooks_allow_private)]
    if settings.alertmanager:
        from services.notify.alertmanager import AlertmanagerSink

        urls = settings.alertmanager.split(",")
        found.append(AlertmanagerSink(urls, store, ledger, clock))
    for url in settings.notify_urls.get_secret_value().split():
        from services.notify.people import PeopleSink

        found.append(PeopleSink(url, store, ledger))
    return found
