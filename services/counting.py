"""Asks a site's server how far its subscriptions have counted.

A server that could not reach us gives up after a while, and a dead subscription sends not even
heartbeats. What `$status` answers is heard like any notification: a number that we have not heard
of is a gap.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from services.ingest import Delivery, Ingest
from services.translate.marks import marked
from services.translate.notification import ENDED, read_notification
from services.translate.site import Site
from services.translate.unfold import unfold
from services.wire.refusal import Refused

log = logging.getLogger("caretally.fhir")

ASK_SECONDS = 600.0
"""How often, and first at start."""


class Server(Protocol):
    """What is asked of `infra.fhirserver.FhirServer`."""

    def status(self, subscription: str) -> bytes | None: ...


class Counting:
    """The subscriptions that a site's profile names under `pull`."""

    def __init__(
        self, site: Site, server: Server, ingest: Ingest, monotonic: Callable[[], float]
    ) -> None:
        self._site, self._server, self._ingest = site, server, ingest
        self._names = site.pull.subscriptions if site.pull else []
        self._monotonic = monotonic
        self._next = monotonic()

    def look(self) -> None:
        """Ask, when it is time to. Raises `ServerOut`, and what an outage of the store raises."""
        if not self._names or self._monotonic() < self._next:
            return
        for name in self._names:
            found = self._server.status(name)
            if found is None:
                log.warning("%s: the server does not tell the status of %s", self._site.name, name)
            else:
                self._hear(name, found)
        self._next = self._monotonic() + ASK_SECONDS

    def _hear(self, name: str, answer: bytes) -> None:
        try:
            pieces = unfold(answer, self._site.source).pieces
        except Refused as refusal:
            log.warning("%s: the status of %s: %s", self._site.name, name, refusal)
            return
        origin = f"fhir-status:{self._site.name}"
        for piece in pieces:
            said = read_notification(piece.resource, "")
            if said is not None:
                self._ingest.take([Delivery(piece.value, None, marked(self._site.name), origin)])
                self._tell(name, said.status)

    def _tell(self, name: str, status: str) -> None:
        if status in ENDED:
            words = "%s: %s is %s: nothing comes until it is activated again"
            log.warning(words, self._site.name, name, status)
