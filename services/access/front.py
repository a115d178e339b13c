"""What stands before every route: shield, identification, and the pages of signing in."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from infra.clock import Clock
from infra.eventstore.accounts import open_accounts
from infra.settings import Settings
from projections.ports import Store
from services.access import flow, signing
from services.access.identify import Identified, Ways
from services.access.noting import Notes
from services.access.provider import Provider
from services.access.routes import SIGNED_IN, Guard, guarded
from services.access.shield import Shield


def application(
    settings: Settings,
    store: Store,
    clock: Clock,
    routes: Sequence[BaseRoute],
    probes: Collection[str] = (),
) -> Starlette:
    """These routes and those of signing in, each behind what it needs. Whatever else is asked for
    is not there, and nobody is told so before they are known.

    `probes` are paths that answer whoever asks, under any name of ours. Raises UndeclaredRoute,
    and ValueError for settings that cannot be used.
    """
    accounts, notes = open_accounts(store), Notes(store, clock)
    ways = Ways(settings, accounts, clock)
    entrance = signing.Entrance(accounts, ways.sessions, notes, settings.takes_passwords)
    provider = Provider(settings, clock) if settings.oidc_issuer else None
    ours = signing.routes(entrance, provider)
    if provider is not None:
        ours += flow.routes(entrance, provider, settings.is_https)
    made = Starlette(
        routes=guarded([*routes, *ours], settings.http_requests_per_minute),
        middleware=[
            Middleware(Shield, settings=settings, probes=probes),
            Middleware(Identified, ways=ways, notes=notes, probes=probes),
        ],
    )
    made.state.provider = provider
    made.router.redirect_slashes = False
    made.router.default = Guard(made.router.not_found, SIGNED_IN)
    return made
