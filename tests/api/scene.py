"""What the API's examples and its checks look at: a lived month, panel figures, refused input."""

from __future__ import annotations

from infra.eventstore.projected import open_projected
from projections.ports import Store
from services.ingest import Delivery
from services.projecting.following import live_generation, step
from services.projecting.panels import Panels
from tests.audit.growing import DAY_US, GrowingLog
from tests.audit.scene import lived

KEY = b"p1/pt1"
UNKNOWN_TYPE = (
    b'{"specversion":"1.0","id":"x1","source":"urn:test:ehr","type":"time.guessed.v1",'
    b'"practiceid":"p1","subject":"pt1","time":"2025-04-11T12:00:00Z","data":{}}'
)


def furnished(store: Store) -> GrowingLog:
    """The store with all of it."""
    log = lived(store)
    log.now_us += DAY_US
    projection = Panels(open_projected(store))
    while step(store, projection, live_generation(store, projection), 1_000):
        pass
    refuse(log, UNKNOWN_TYPE)
    refuse(log, b"\xff{", key=None)
    return log


def refuse(log: GrowingLog, value: bytes, key: bytes | None = KEY) -> None:
    """Put in what cannot be taken."""
    headers = (("content-type", b"application/cloudevents+json"),)
    outcome = log.ingest.take([Delivery(value, key, headers, "kafka:ehr.events.v1/3@17")])
    assert outcome.dead_lettered == 1
