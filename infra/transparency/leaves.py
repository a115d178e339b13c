"""What of a stored event is a leaf of the log's tree: everything that lies in its row."""

from __future__ import annotations

from infra.transparency.merkle import leaf_hash
from projections.ports import StoredEvent


def leaf_data(event: StoredEvent) -> bytes:
    """Place and lengths first, so that no two events can be written the same."""
    stream, name = event.stream_id.encode(), event.name.encode()
    head = f"{event.position} {event.version} {len(stream)} {len(name)} {len(event.key)}\n"
    return b"".join((head.encode(), stream, name, event.key, event.state))


def event_leaf(event: StoredEvent) -> bytes:
    """The hash of an event's leaf."""
    return leaf_hash(leaf_data(event))
