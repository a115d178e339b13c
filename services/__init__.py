"""Processes and use cases. Whatever runs here takes its time zones from the pinned release."""

import infra.zones as _zones

__all__: list[str] = []

del _zones
