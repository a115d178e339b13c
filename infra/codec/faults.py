"""What can be wrong with stored events."""

from __future__ import annotations


class UndecodableEvent(ValueError):
    """A stored event that today's code cannot read: an unknown name or bytes out of form."""


class BrokenChain(ValueError):
    """A stream whose stored bytes are not the ones that were linked when they were written."""

    def __init__(self, stream_id: str, version: int, why: str) -> None:
        """`version` is the first event of the stream at which the chain does not hold."""
        super().__init__(f"stream {stream_id} is broken at version {version}: {why}")
        self.stream_id = stream_id
        self.version = version
