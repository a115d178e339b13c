"""What can be wrong with stored events."""

from __future__ import annotations


class UndecodableEvent(ValueError):
    """A stored event that today's code cannot read: an unknown name or bytes out of form."""
