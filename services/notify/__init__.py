"""Alert sinks: what tells the world of stored transitions, one strategy a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.bootstrap import Parts
    from services.notify.reactor import SinkReactor


def reactors(parts: Parts) -> list[SinkReactor]:
    """The sinks that the settings name; webhooks always, since subscribers come and go.

    Raises ValueError for a channel that cannot be.
    """
    from infra.eventstore.deliveries import open_deliveries
    from services.notify.webhooks import Webhooks

    settings, store, ledger = parts.settings, parts.store, open_deliveries(parts.store)
    found: list[SinkReactor] = [
        Webhooks(store, ledger, parts.clock, settings.webhooks_allow_private)
    ]
    if settings.alertmanager:
        from services.notify.alertmanager import AlertmanagerSink

        urls = settings.alertmanager.split(",")
        found.append(AlertmanagerSink(urls, store, ledger, parts.clock))
    for url in settings.notify_urls.get_secret_value().split():
        from services.notify.people import PeopleSink

        found.append(PeopleSink(url, store, ledger))
    return found
