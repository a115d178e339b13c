"""What a person does on a page, said as events: through the one way into the log, whole or not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.facts import Instant
from domain.rejections import Reason, Rejection
from infra.codec import stream_id
from services.audit.telling import second_text
from services.bootstrap import Parts
from services.histories import History
from services.ingest import Delivery, Ingest

SOURCE: Final = "urn:caretally:pages"
"""`source` of what people enter on our pages."""
ORIGIN: Final = "page"
TRIES_MAX: Final = 5
"""How often an act begins anew because other events of its patients came in between."""


class Moved(Exception):
    """Something of these patients was stored since they were read."""


class NotTaken(Exception):
    """The log refused an event of ours; the message says why. Nothing was written."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.sentence)
        self.is_known = rejection.reason is Reason.CONFLICTING_DUPLICATE
        """Whether an event of this id is stored already."""


def document(
    id: str, type: str, practice: str, patient: str, at: Instant, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The CloudEvent, as it goes in by any door."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": type,
        "practiceid": practice,
        "subject": patient,
        "time": second_text(at),
        "data": data,
    }


def versions_of(histories: Sequence[History]) -> dict[str, int]:
    """Where these patients' streams stood when they were read."""
    return {stream_id(h.practice_id, h.patient_id): len(h.stored) for h in histories if h.stored}


def take_whole(
    parts: Parts,
    ingest: Ingest,
    documents: Sequence[Mapping[str, Any]],
    streams: Sequence[str],
    versions: Mapping[str, int],
) -> None:
    """Store all of it or nothing: asked after the fold and before the write, these streams must
    still stand where they were read. What comes later makes the write itself fail, and ask again.

    Raises Moved, NotTaken, Busy, and whatever an outage of the store raises.
    """

    def judge(results: Sequence[Rejection | None]) -> None:
        for refusal in results:
            if refusal is not None:
                raise NotTaken(refusal)
        if parts.store.versions(streams) != versions:
            raise Moved

    deliveries = [Delivery(json.dumps(each).encode(), None, (), ORIGIN) for each in documents]
    ingest.take(deliveries, keep_dead_letters=False, judge=judge)
