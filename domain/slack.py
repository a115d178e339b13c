"""How much may still happen in a month before any alert of it can change.

Alerts are decided after every event, but most entries of a month change none: the next threshold
is minutes away and the month is not about to end. A month's slack says so beforehand. Entries that
are only added can move no pool by more than they last (a pool is a union of their intervals), and
whatever an alert looks at but the seconds changes by other facts or at a known instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.alerts import few_days_from
from domain.assess.reckoning import Reckoning
from domain.facts import Clocked, Instant, TimeLogged
from domain.policy import Policy
from domain.time.calendar import ONE_DAY, last_day, midnight

NO_END: Final[Instant] = 2**62


@dataclass(slots=True)
class Slack:
    """No alert of the month changes while entries that are added last less than `seconds` in all
    and the clock stands from `since` on and before `until`."""

    seconds: int
    since: Instant
    until: Instant

    def takes(self, seconds: int, now: Instant) -> bool:
        """Whether an entry added at `now` leaves all alerts as they are; it is then used up."""
        if seconds >= self.seconds or not self.since <= now < self.until:
            return False
        self.seconds -= seconds
        return True


def seconds_of(fact: TimeLogged) -> int:
    """How long the work of an entry lasted."""
    work = fact.work
    return work.ended_at - work.started_at if isinstance(work, Clocked) else work.seconds


def slack_of(month: Reckoning, policy: Policy, now: Instant) -> Slack | None:
    """The slack of a month whose alerts have been decided at `now`; None where there is none.

    Where seconds are excluded for a reason that `earned` leaves aside, a threshold of `earned` may
    be nearer than any that is told: no slack is given.
    """
    if month.tally.lifted_in_earned:
        return None
    seconds = min((_gap(n.seconds_to_go, policy) for n in month.next), default=NO_END)
    return Slack(seconds, now, _until(month, policy, now))


def _gap(seconds_to_go: int, policy: Policy) -> int:
    """Seconds until the threshold is approached, or once it is, until it is reached."""
    margin = seconds_to_go - policy.approaching_seconds
    return margin if margin > 0 else seconds_to_go


def _until(month: Reckoning, policy: Policy, now: Instant) -> Instant:
    """The next midnight at which time alone may change an alert."""
    for day in (few_days_from(month.month, policy), last_day(month.month) + ONE_DAY):
        begins = midnight(day, month.timezone)
        if now < begins:
            return begins
    return NO_END
