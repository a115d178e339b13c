"""A practice's month at its close: what can be claimed, what was, and what no longer holds."""

from __future__ import annotations
