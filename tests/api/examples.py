"""The examples in the API's document: `python -m tests.api.examples` writes them anew.

Each is what the API answers about the fixed scene; a test holds them against it.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from infra.eventstore import open_store
from services.api.application import RESOURCES
from services.api.resource import Resource
from tests.api.asked import Asked, asking
from tests.api.scene import furnished

FILE = Path(__file__).parents[2] / "services/api/examples.json"

WANTED: dict[str, dict[str, str]] = {
    "assessments": {"practice": "p1", "month": "2025-03"},
    "months": {"limit": "2"},
    "month": {},
    "explanation": {"as_of": "2025-04-04T00:00:00Z"},
    "patient_timeline": {"limit": "4"},
    "alerts": {"type": "claim.diverged"},
    "practices": {},
    "panel": {"practice": "p1"},
    "dead_letters": {"reason": "unknown-type"},
    "dead_letter": {},
    "replay_dead_letter": {},
    "month_difference": {"from": "2025-04-04T00:00:00Z", "to": "2025-05-01T00:00:00Z"},
    "evidence_packet": {},
    "claims": {"kind": "diverged"},
    "access_log": {"patient": "pt1", "limit": "2"},
}
"""What each example asks for, by operation."""

IN_PATH = {"practice": "p1", "patient": "pt1", "month": "2025-03", "letter": "1"}


def made(url: str | None = None) -> dict[str, Any]:
    """Every example by operation, as JSON values; over a new SQLite database if none is given."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url or f"sqlite:///{folder}/care.db")
        log = furnished(store)
        with asking(log.parts, log.ingest) as api:
            found = {r.endpoint.__name__: _example(api, r) for r in RESOURCES}
        store.close()
    return found


def _example(api: Asked, resource: Resource) -> dict[str, Any]:
    query = WANTED[resource.endpoint.__name__]
    path = re.sub(r"\{(\w+)\}", lambda found: IN_PATH[found[1]], f"/api/v1{resource.path}")
    gives: dict[str, Any] = {}
    for media in resource.gives:
        headers = {"accept": media, "x-reason": "claim review"}
        answer = api.client.request(resource.method, path, params=query, headers=headers)
        assert answer.status_code == resource.status, answer.text
        assert answer.headers["content-type"].partition(";")[0] == media
        if media == "application/json":
            gives[media] = answer.json()
        elif media != "application/zip":
            gives[media] = answer.text
    named = {name: IN_PATH[name] for name in re.findall(r"\{(\w+)\}", resource.path)}
    return {"parameters": named | query, "gives": gives}


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1, ensure_ascii=False) + "\n", "utf-8")
