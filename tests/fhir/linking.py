"""Links of patients, as a master index sends them, and what waits for them."""

from __future__ import annotations

import json
from typing import Any

from infra.eventstore.translated import open_translations
from services.ingest import Delivery
from services.releasing import release
from tests.fhir.made import BASE, Fed


def link(patient: str = "ours-1", value: str = "pt1", id: str = "l1", **more: Any) -> bytes:
    data = {"system": f"{BASE}/Patient", "value": value}
    event = {
        "specversion": "1.0",
        "id": id,
        "source": "/mpi",
        "type": "identity.linked.v1",
        "practiceid": "p1",
        "subject": patient,
        "time": "2025-03-01T00:00:00Z",
        "data": data,
    }
    return json.dumps({**event, **more}).encode()


def native(fed: Fed, *values: bytes) -> None:
    outcome = fed.ingest.take([Delivery(value, None, (), "test") for value in values])
    assert outcome.dead_lettered == 0


def released(fed: Fed) -> int:
    return release(open_translations(fed.store), fed.ingest)
