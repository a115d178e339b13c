"""A practice's queue: refused events, a message of a foreign form, and letters of others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from projections.letters import DeadLetter
from projections.ports import Store
from services.bootstrap import Parts
from services.ingest import Delivery
from services.translate.marks import HL7V2
from tests.audit.growing import GrowingLog
from tests.given import ready, staff
from tests.hl7v2.sent import er7, ft1, msh, pid, site
from tests.pages.closing import BEGIN_US, of

MONTH = "2025-03"
PAGE = f"/queue/p1/{MONTH}"
FILE = "file:march.jsonl"
SECRET = "SECRET-NAME"
"""In what came, and nowhere else."""

WHY = "the nurse said so"
BROKEN = '{"specversion":"1.0", "note":"SECRET-NAME", oops}'


def entry(id: str = "q1", practice: str = "p1", **data: Any) -> dict[str, Any]:
    """Twenty minutes of staff time for the patient `ready`, unless told otherwise."""
    usual = {
        "entry_id": id,
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "care_coordination",
        "started_at": "2025-03-10T10:00:00-04:00",
        "ended_at": "2025-03-10T10:20:00-04:00",
        "note": SECRET,
    }
    return {
        "specversion": "1.0",
        "id": id,
        "source": "urn:test:ehr",
        "type": "time.logged.v1",
        "practiceid": practice,
        "subject": "ready",
        "time": "2025-03-10T15:00:00Z",
        "data": {**usual, **data},
    }


BACKWARDS = entry(ended_at="2025-03-10T09:40:00-04:00")
"""Letter 1: it ends before it starts."""
TYPED_WRONG = entry("q2", started_at="ten o'clock")


STRANGE = er7(
    msh("DFT^P03"),
    pid("ready"),
    ft1(code="CCMMIN", quantity="20", procedure="", by="12^ROE^R^^^^^^RIVER"),
)
"""Refused: nobody knows who did the work."""


def queue(store: Store) -> GrowingLog:
    """`ready` has the minutes of one code less twenty; seven letters wait:

    1 ends before it starts, 2 to 3 have an ill-typed member (a file and Kafka), 4 is no JSON, of
    p1 by its key, 5 is of p2, 6 names no practice, 7 is an HL7 v2 message of an unknown code.
    """
    log = GrowingLog(store)
    log.take(of("ready", [*ready(MONTH), staff("t1", "2025-03-05", 600)]), BEGIN_US)
    log.take(of("theirs", ready(MONTH), "p2"), BEGIN_US)
    log.parts = replace(log.parts, sites={"river": site()})
    refused(log, BACKWARDS, f"{FILE}:7")
    refused(log, TYPED_WRONG, f"{FILE}:8")
    refused(log, entry("q3", started_at="noon"), "kafka:ehr.events.v1/0@5", key=b"p1/ready")
    refused(log, BROKEN, "kafka:ehr.events.v1/1@9", key=b"p1/ready")
    refused(log, entry("q5", "p2", started_at="noon"), f"{FILE}:9")
    refused(log, "{", "http")
    refused(log, STRANGE, "mllp:127.0.0.1", headers=((HL7V2, b"river"),))
    return log


def refused(
    log: GrowingLog, value: Any, origin: str, key: bytes | None = None, headers: Any = ()
) -> None:
    """Put in what cannot be taken."""
    raw = value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else None
    delivery = Delivery(raw or json.dumps(value).encode(), key, headers, origin)
    assert log.parts.ingest().take([delivery]).dead_lettered == 1


def letter(store: Store, id: int) -> DeadLetter:
    return store.dead_letters(id - 1, 1)[0]


def seconds(parts: Parts, patient: str = "ready") -> int:
    """What the patient's March has logged."""
    (row,) = parts.store.assessments("p1", patient, MONTH)
    found: int = json.loads(row)["seconds"]["logged"]
    return found


def indented(value: Any) -> str:
    """As the form has it."""
    return json.dumps(value, indent=2)


def form(text: object = None, reason: str = WHY) -> dict[str, str]:
    """The form with a corrected event; without one as it comes."""
    shown = indented(BACKWARDS if text is None else text) if not isinstance(text, str) else text
    return {"text": shown.replace("\n", "\r\n"), "reason": reason}
