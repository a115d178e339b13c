"""What waits for a person: refused input, reviews, conflicts."""

from __future__ import annotations
