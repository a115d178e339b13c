"""Where a rule comes from and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    """How the source was read."""

    OFFICIAL = "official"
    """In an official text or data file (CMS, CFR, OIG, a Medicare contractor)."""
    SECONDARY = "secondary"
    """Only in a society's, coder's or vendor's account of it."""
    DERIVED = "derived"
    """By logic or arithmetic from the other two."""
    UNVERIFIED = "unverified"
    """Held to be so, not found in any text that could be opened."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source in our own words."""

    source: str
    confidence: Confidence
    note: str = ""
