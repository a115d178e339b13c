"""The delivery ledger's statements, for SQLite and PostgreSQL alike, and its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from projections.deliveries import Secret, Subscriber, SubscriberState

SUBSCRIBERS = (
    "SELECT id, url, practices, types, read_through, added_at_us, state, reason, held_until_us, "
    "answered_at_us FROM subscribers ORDER BY added_at_us, id"
)
SECRETS = (
    "SELECT subscriber_id, secret, expires_at_us FROM subscriber_secrets "
    "ORDER BY expires_at_us IS NOT NULL, expires_at_us DESC"
)
ENQUEUE = (
    "INSERT INTO deliveries SELECT ?, ?, ?, 'pending', 0, CASE WHEN EXISTS (SELECT 1 "
    "FROM deliveries WHERE subscriber_id = ? AND stream_id = ? AND state = 'pending') "
    "THEN NULL ELSE ? END, '' WHERE true ON CONFLICT DO NOTHING"
)
DUE = (
    "SELECT position, stream_id, attempts FROM deliveries WHERE subscriber_id = ? "
    "AND state = 'pending' AND next_at_us IS NOT NULL AND next_at_us <= ? "
    "ORDER BY next_at_us, position LIMIT ?"
)
NEXT_DUE = (
    "SELECT min(next_at_us) FROM deliveries WHERE subscriber_id = ? AND state = 'pending' "
    "AND next_at_us IS NOT NULL"
)
RECORD = (
    "UPDATE deliveries SET state = ?, attempts = ?, next_at_us = ?, answer = ? "
    "WHERE subscriber_id = ? AND position = ?"
)
RELEASE = (
    "UPDATE deliveries SET next_at_us = ? WHERE subscriber_id = ? AND next_at_us IS NULL "
    "AND position = (SELECT min(position) FROM deliveries WHERE subscriber_id = ? "
    "AND stream_id = ? AND state = 'pending')"
)
RESTART = (
    "UPDATE deliveries SET attempts = 0, next_at_us = CASE WHEN position = (SELECT min(position) "
    "FROM deliveries o WHERE o.subscriber_id = deliveries.subscriber_id "
    "AND o.stream_id = deliveries.stream_id AND o.state = 'pending') THEN ? END "
    "WHERE subscriber_id = ? AND state = 'pending'"
)
RAISED = (
    "SELECT t.position FROM alert_state a JOIN transitions t ON t.alert_id = a.alert_id "
    "AND t.transition = a.transition WHERE a.raised AND t.position > ? AND t.position <= ? "
    "ORDER BY t.position"
)
BEGIN = (
    "INSERT INTO sink_starts SELECT ?, coalesce(max(position), 0) FROM transitions "
    "WHERE true ON CONFLICT DO NOTHING"
)


def filter_text(values: Sequence[str]) -> str:
    return json.dumps(list(values))


def subscriber(row: Any, secrets: Sequence[Secret]) -> Subscriber:
    id, url, practices, types, through, added, state, reason, held, answered = row
    return Subscriber(
        id=id,
        url=url,
        secrets=tuple(secrets),
        practices=tuple(json.loads(practices)),
        types=tuple(json.loads(types)),
        read_through=through,
        added_at_us=added,
        state=SubscriberState(state),
        reason=reason,
        held_until_us=held,
        answered_at_us=answered,
    )
