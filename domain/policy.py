"""What a practice may choose. Defaults are the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NOT_COUNTABLE_DEFAULT = (
    "em_visit",
    "g0506_planning",
    "rpm_review",
    "prior_authorization",
    "administrative",
    "supervision",
    "training",
    "outreach_attempt",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """One practice's choices; hashable, so that results can be kept by policy."""

    selection: Literal["most-specific", "highest-payment", "staff-first"] = "most-specific"
    pool_practitioner_time: bool = True
    date_of_service: Literal["threshold-met", "month-end"] = "threshold-met"
    rhc_transition: Literal["g0511", "cpt"] = "g0511"
    qp: bool = False
    not_countable: tuple[str, ...] = NOT_COUNTABLE_DEFAULT
    approaching_seconds: int = 300
    at_risk_days: int = 5
    default_timezone: str = "UTC"

    def __hash__(self) -> int:
        """Of a few members alone: it is asked for at every event."""
        return hash((self.selection, self.date_of_service, self.default_timezone))
