"""What is watched for alerting systems, and when it is raised and resolved.

One identity per thing watched, for ever: practice, patient, month, type, code and unit. The
transitions of an identity count from 1. They are decided event by event from the assessment
alone, the recorded time and the event's mark as history, so a replay of the log decides the same
ones. What time alone changes is said by a tick in the log.

A transition that nobody should be alarmed by is decided and stored like any other, with the reason
why it is not delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from json.encoder import encode_basestring as _json_text
from typing import NamedTuple
from uuid import UUID

from domain.assess.assessment import Family
from domain.assess.reckoning import Reckoning
from domain.facts import CodeUnits, Instant, Month
from domain.policy import Policy
from domain.time.calendar import midnight
from domain.time.monthends import NO_DAYS, ends_of_month, few_days_from

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
    STAFF_OVERLAP = "staff.overlap"


CONFLICTS = frozenset({"competing-service", "billed-elsewhere"})
"""Blockers that are another service in the month."""


class Suppression(StrEnum):
    """Why a transition is not delivered. Values are stored and never change."""

    HISTORY = "history"
    """Raised by what was imported as history."""
    MONTH_LONG_OVER = "month-long-over"
    """Raised for a month that ended more than `LONG_OVER_DAYS` ago."""
    NEVER_RAISED = "never-raised"
    """Resolves what was raised without being delivered."""


BILLED_IN_OPERATOR = "billed-elsewhere-in-operator"
"""Code of the conflict between two practices of one operator that bill one person's month."""


class Watched(NamedTuple):
    """One thing watched in a patient's month.

    `code` is a billing code for thresholds and months at risk, a blocker's identifier for
    prerequisites and conflicts, a performer's id for overlaps of staff, empty for claims; `unit`
    is 0 where there are no units.
    """

    month: Month
    type: AlertType
    code: str
    unit: int

    @property
    def crosses_patients(self) -> bool:
        """Whether it takes more than the patient's own events to decide on it."""
        return self.type is AlertType.STAFF_OVERLAP or self.code == BILLED_IN_OPERATOR


@dataclass(slots=True)
class Standing:
    """Where an identity stands: how many transitions it has made, whether it is raised, and
    whether it was raised without being delivered (`silent`)."""

    transition: int
    raised: bool
    silent: bool = False


class Transition(NamedTuple):
    """One change of one alert; `seconds_to_go` is None where it has no meaning.

    `suppressed` says why it is not delivered; None: it is.
    """

    watched: Watched
    number: int
    raised: bool
    seconds_to_go: int | None
    suppressed: Suppression | None = None

    @property
    def standing(self) -> Standing:
        """Where its identity stands after it."""
        return Standing(self.number, self.raised, self.raised and self.suppressed is not None)


def alert_id(practice_id: str, patient_id: str, watched: Watched) -> str:
    """UUIDv5 over the six parts, written as a JSON array so that no two can be confused."""
    whose = f"[{_json_text(practice_id)},{_json_text(patient_id)},"
    return _uuid5((whose + _what(watched)).encode())


@lru_cache(maxsize=4_096)
def _what(watched: Watched) -> str:
    """The rest of the array, which many patients share."""
    month, type, code, unit = watched
    return f"{_json_text(month)},{_json_text(type)},{_json_text(code)},{unit}]"


_NAMESPACE = ALERTS.bytes
_VARIANT = "89ab" * 4


def _uuid5(name: bytes) -> str:
    """The text of `uuid.uuid5(ALERTS, name)`: every transition needs one."""
    digits = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    variant = _VARIANT[int(digits[16], 16)]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


Wanted = dict[Watched, int | None]
"""What should stand raised, with its seconds to go where they have a meaning."""


def to_raise(month: Reckoning, policy: Policy, now: Instant) -> Wanted:
    """Everything that should stand raised for the month at `now`."""
    wanted: Wanted = {}
    for offer in month.offered:
        wanted.update(_reached(month.month, offer.units.codes))
    _blockers(month, wanted)
    if month.diverged:
        wanted[Watched(month.month, AlertType.CLAIM_DIVERGED, "", 0)] = None
    near = [n for n in month.next if n.seconds_to_go <= policy.approaching_seconds]
    first_is_open = month.next and not month.earned
    if (near or first_is_open) and may_still_count(month, now):
        for n in near:
            watched = Watched(month.month, AlertType.THRESHOLD_APPROACHING, n.code, n.unit)
            wanted[watched] = n.seconds_to_go
        if first_is_open:
            _at_risk(month, policy, now, wanted)
    return wanted


@lru_cache(maxsize=4_096)
def _reached(month: Month, codes: tuple[CodeUnits, ...]) -> Wanted:
    """Every unit of these codes, which many patients reach; not to be changed."""
    reached = AlertType.THRESHOLD_REACHED
    units = [(line.code, unit) for line in codes for unit in range(1, line.units + 1)]
    return {Watched(month, reached, code, unit): None for code, unit in units}


def _blockers(month: Reckoning, wanted: Wanted) -> None:
    for blocker in month.blockers:
        if month.earned:
            watched = Watched(month.month, AlertType.PREREQUISITE_MISSING, blocker, 0)
            wanted[watched] = None
        if blocker in CONFLICTS:
            wanted[Watched(month.month, AlertType.CONFLICT_DETECTED, blocker, 0)] = None


def may_still_count(month: Reckoning, now: Instant) -> bool:
    """Whether time can still be added that counts: the patient is enrolled, the month not over."""
    if "not-enrolled" in month.blockers:
        return False
    return now < ends_of_month(month.month, month.timezone, NO_DAYS).over


def _at_risk(month: Reckoning, policy: Policy, now: Instant, wanted: Wanted) -> None:
    """An open patient, days from month end, short of the first threshold.

    Open is who spends at least one of these days in the programme and alive: that does not
    change by time alone.
    """
    begins = few_days_from(month.month, policy.at_risk_days)
    if now < midnight(begins, month.timezone) or not _is_open(month, begins):
        return
    # Wherever care management may be billed at all, one of these two may.
    nearest = next(n for n in month.next if n.family in (Family.NON_COMPLEX, Family.RHC))
    watched = Watched(month.month, AlertType.MONTH_AT_RISK, nearest.code, nearest.unit)
    wanted[watched] = nearest.seconds_to_go


def _is_open(month: Reckoning, begins: date) -> bool:
    span, died_on = month.context.span, month.context.chart.died_on
    if span is None or (span.last is not None and span.last < begins):
        return False
    return died_on is None or died_on >= begins


class Occasion(NamedTuple):
    """When transitions are decided, and whether by what was imported as history."""

    now: Instant
    history: bool = False

    def hides(self, watched: Watched, timezone: str) -> Suppression | None:
        """Why an alert that is raised on this occasion is not delivered."""
        if self.history:
            return Suppression.HISTORY
        is_claim = watched.type is AlertType.CLAIM_DIVERGED
        if not is_claim and self.now >= ends_of_month(watched.month, timezone, NO_DAYS).long_over:
            return Suppression.MONTH_LONG_OVER
        return None


def transitions(
    standing: Mapping[Watched, Standing],
    wanted: Mapping[Watched, int | None],
    month: Month,
    timezone: str,
    occasion: Occasion,
) -> list[Transition]:
    """The changes that bring one month from where its alerts stand to where they should.

    Resolutions come first, then what is raised, each in order of type, code and unit. A raise may
    be suppressed; a resolution is, exactly where its raise was.
    """
    unheard = Suppression.NEVER_RAISED
    resolved = [
        Transition(watched, at.transition + 1, False, None, unheard if at.silent else None)
        for watched, at in standing.items()
        if at.raised and watched.month == month and watched not in wanted
    ]
    raised = []
    for watched, seconds_to_go in wanted.items():
        at = standing.get(watched)
        if at is None or not at.raised:
            number = 1 if at is None else at.transition + 1
            hidden = occasion.hides(watched, timezone)
            raised.append(Transition(watched, number, True, seconds_to_go, hidden))
    if len(resolved) + len(raised) < 2:
        return resolved or raised
    return [*sorted(resolved, key=_order), *sorted(raised, key=_order)]


def _order(transition: Transition) -> tuple[str, str, int]:
    watched = transition.watched
    return (watched.type.value, watched.code, watched.unit)
