"""What goes to Kafka: three outboxes over one store, read by position and never changed by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from infra.codec import utc_text
from infra.eventstore.assessment_feed import open_assessment_feed
from infra.eventstore.rows import whole_assessment
from projections.ports import AssessmentRow, Store, TransitionRow
from services.notify.deliverable import deliverable, event_id, event_type

SOURCE = "caretally"
ASSESSMENT_TYPE = "assessment.v1"

Headers = list[tuple[str, bytes]]


class Message(NamedTuple):
    """One Kafka record; a value of None is a tombstone."""

    key: str
    value: bytes | None
    headers: Headers


class Due(NamedTuple):
    """What is to be sent of a stretch of the store, and how far that stretch goes."""

    messages: Sequence[Message]
    through: int


class Outbox(Protocol):
    """One topic's messages. Its calls block."""

    topic: str
    compacted: bool
    """Whether the topic keeps the latest message of each key alone: what an older process says
    late must then never come after what a newer one has said."""

    def ledger(self) -> str:
        """The name under which it is noted how far the topic was served."""

    def due(self, after: int, limit: int) -> Due:
        """What comes after a position; `through` is `after` when there is nothing more."""


class Alerts:
    """Every alert transition, keyed by patient, in order."""

    compacted = False

    def __init__(self, topic: str, store: Store) -> None:
        self.topic = topic
        self._store = store

    def ledger(self) -> str:
        return f"kafka:{self.topic}"

    def due(self, after: int, limit: int) -> Due:
        page = deliverable(self._store, after, limit)
        return Due(
            [_alert(row, f"{row.practice_id}/{row.patient_id}") for row in page.rows], page.through
        )


class AlertStates:
    """Where each alert stands, keyed by alert: of several transitions the last."""

    compacted = True

    def __init__(self, topic: str, store: Store) -> None:
        self.topic = topic
        self._store = store

    def ledger(self) -> str:
        return f"kafka:{self.topic}"

    def due(self, after: int, limit: int) -> Due:
        page = deliverable(self._store, after, limit)
        last = {row.state.alert_id: row for row in page.rows}
        return Due([_alert(row, alert) for alert, row in last.items()], page.through)


class Assessments:
    """The latest assessment of each patient-month, keyed by it; a tombstone when it has none."""

    compacted = True

    def __init__(self, topic: str, store: Store) -> None:
        """Raises TypeError for a store in memory."""
        self.topic = topic
        self._feed = open_assessment_feed(store)

    def ledger(self) -> str:
        """Another one after each rebuild: the topic is then served from the beginning again."""
        switches = self._feed.switches()
        return f"kafka:{self.topic}#{switches}" if switches else f"kafka:{self.topic}"

    def due(self, after: int, limit: int) -> Due:
        changes = self._feed.changes(after, limit)
        gone = (Message("/".join(month[:3]), None, []) for month in changes.gone)
        return Due([*map(_assessment, changes.rows), *gone], changes.through)


def _alert(row: TransitionRow, key: str) -> Message:
    return Message(key, row.body, alert_headers(row))


def _assessment(row: AssessmentRow) -> Message:
    """Its `stream_version` is that of the last event that touched the month: equal bytes each time
    the same assessment is sent."""
    key = f"{row.practice_id}/{row.patient_id}/{row.month}"
    headers = assessment_headers(row.practice_id, row.patient_id, row.month, row.version)
    return Message(key, whole_assessment(row.body, row.version), headers)


def alert_headers(row: TransitionRow) -> Headers:
    attributes = {
        "ce_id": event_id(row),
        "ce_type": event_type(row),
        "ce_subject": row.patient_id,
        "ce_practiceid": row.practice_id,
        "ce_time": utc_text(row.recorded_at_us),
    }
    return _headers(attributes)


def assessment_headers(practice: str, patient: str, month: str, version: int) -> Headers:
    attributes = {
        "ce_id": f"{practice}/{patient}/{month}@{version}",
        "ce_type": ASSESSMENT_TYPE,
        "ce_subject": patient,
        "ce_practiceid": practice,
    }
    return _headers(attributes)


def _headers(attributes: dict[str, str]) -> Headers:
    """A CloudEvent's attributes, in Kafka's binary content mode."""
    fixed = {"ce_specversion": "1.0", "ce_source": SOURCE, "content-type": "application/json"}
    return [(name, value.encode()) for name, value in (fixed | attributes).items()]
