"""What is watched for alerting systems, and when it is raised and resolved.

One identity per thing watched, for ever: practice, patient, month, type, code and unit. The
transitions of an identity count from 1. They are decided event by event from the assessment
alone and the recorded time, so a replay of the log decides the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from domain.assess.assessment import Family
from domain.assess.reckoning import Reckoning
from domain.facts import Instant, Month
from domain.policy import Policy
from domain.time.calendar import ONE_DAY, last_day, midnight

ALERTS = UUID("7d9c0a2e-5f0b-5c8e-9d55-0f1a6f3c2b41")
"""Namespace of alert identities. Changing it would change every identity."""


class AlertType(StrEnum):
    """What can be watched. Values are part of the identity and never change."""

    THRESHOLD_APPROACHING = "threshold.approaching"
    THRESHOLD_REACHED = "threshold.reached"
    PREREQUISITE_MISSING = "prerequisite.missing"
    CONFLICT_DETECTED = "conflict.detected"
    MONTH_AT_RISK = "month.at-risk"
    CLAIM_DIVERGED = "claim.diverged"


CONFLICTS = frozenset({"competing-service", "billed-elsewhere"})
"""Blockers that are another service in the month."""


class Watched(NamedTuple):
    """One thing watched in a patient's month.

    `code` is a billing code for thresholds and months at risk, a blocker's identifier for
    prerequisites and conflicts, empty for claims; `unit` is 0 where there are no units.
    """

    month: Month
    type: AlertType
    code: str
    unit: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an identity stands: how many transitions it has made, and whether it is raised."""

    transition: int
    raised: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one alert; `seconds_to_go` is None where it has no meaning."""

    watched: Watched
    number: int
    raised: bool
    seconds_to_go: int | None


def alert_id(practice_id: str, patient_id: str, watched: Watched) -> str:
    """UUIDv5 over the six parts, written as a JSON array so that no two can be confused."""
    parts = [practice_id, patient_id, watched.month, watched.type.value, watched.code, watched.unit]
    return str(uuid5(ALERTS, json.dumps(parts, ensure_ascii=False, separators=(",", ":"))))


def month_is_over(month: Reckoning, now: Instant) -> bool:
    """Whether the month has ended for the patient at `now`."""
    return now >= midnight(last_day(month.month) + ONE_DAY, month.timezone)


Wanted = dict[Watched, int | None]
"""What should stand raised, with its seconds to go where they have a meaning."""


def to_raise(month: Reckoning, policy: Policy, now: Instant) -> Wanted:
    """Everything that should stand raised for the month at `now`."""
    wanted: Wanted = {}
    _thresholds_reached(month, wanted)
    _blockers(month, wanted)
    if month.diverged:
        wanted[Watched(month.month, AlertType.CLAIM_DIVERGED, "", 0)] = None
    near = [n for n in month.next if n.seconds_to_go <= policy.approaching_seconds]
    first_is_open = month.next and not month.earned
    if (near or first_is_open) and not month_is_over(month, now):
        for n in near:
            watched = Watched(month.month, AlertType.THRESHOLD_APPROACHING, n.code, n.unit)
            wanted[watched] = n.seconds_to_go
        if first_is_open and _days_are_few(month, policy, now):
            _at_risk(month, wanted)
    return wanted


def _thresholds_reached(month: Reckoning, wanted: Wanted) -> None:
    for offer in month.offered:
        for line in offer.units.codes:
            for unit in range(1, line.units + 1):
                watched = Watched(month.month, AlertType.THRESHOLD_REACHED, line.code, unit)
                wanted[watched] = None


def _blockers(month: Reckoning, wanted: Wanted) -> None:
    for blocker in month.blockers:
        if month.earned:
            watched = Watched(month.month, AlertType.PREREQUISITE_MISSING, blocker, 0)
            wanted[watched] = None
        if blocker in CONFLICTS:
            wanted[Watched(month.month, AlertType.CONFLICT_DETECTED, blocker, 0)] = None


def _days_are_few(month: Reckoning, policy: Policy, now: Instant) -> bool:
    begins = last_day(month.month) + ONE_DAY - policy.at_risk_days * ONE_DAY
    return now >= midnight(begins, month.timezone)


def _at_risk(month: Reckoning, wanted: Wanted) -> None:
    """An open patient, days from month end, short of the first threshold."""
    if "not-enrolled" in month.blockers:
        return
    # Wherever care management may be billed at all, one of these two may.
    nearest = next(n for n in month.next if n.family in (Family.NON_COMPLEX, Family.RHC))
    watched = Watched(month.month, AlertType.MONTH_AT_RISK, nearest.code, nearest.unit)
    wanted[watched] = nearest.seconds_to_go


def transitions(
    standing: Mapping[Watched, Standing], wanted: Mapping[Watched, int | None], month: Month
) -> list[Transition]:
    """The changes that bring one month from where its alerts stand to where they should.

    Resolutions come first, then what is raised, each in order of type, code and unit.
    """
    resolved = [
        Transition(watched, at.transition + 1, False, None)
        for watched, at in standing.items()
        if at.raised and watched.month == month and watched not in wanted
    ]
    raised = []
    for watched, seconds_to_go in wanted.items():
        at = standing.get(watched)
        if at is None:
            raised.append(Transition(watched, 1, True, seconds_to_go))
        elif not at.raised:
            raised.append(Transition(watched, at.transition + 1, True, seconds_to_go))
    return [*sorted(resolved, key=_order), *sorted(raised, key=_order)]


def _order(transition: Transition) -> tuple[str, str, int]:
    watched = transition.watched
    return (watched.type.value, watched.code, watched.unit)
