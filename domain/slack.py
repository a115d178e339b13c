"""How much may still happen in a month before any alert of it can change.

Alerts are decided after every event, but most entries of a month change none: the next threshold
is minutes away and the month is not about to end. A month's slack says so beforehand. Entries that
are only added can move no pool by more than they last (a pool is a union of their intervals), and
whatever an alert looks at but the seconds changes by other facts or at a known instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.alerts import may_still_count
from domain.assess.reckoning import Reckoning
from domain.facts import Clocked, Instant, Role, TimeLogged
from domain.policy import Policy
from domain.rules.book import RuleSet
from domain.time.calendar import WIDEST_OFFSET_SECONDS
from domain.time.monthends import ends_of_month

NO_END: Final[Instant] = 2**62
_STAFF: Final = Role.CLINICAL_STAFF


@dataclass(slots=True)
class Slack:
    """No alert of the month changes while the clock stands from `since` on and before `until`, and
    entries that are added last less than `seconds` in all, those of practitioners less than
    `practitioner_seconds` besides."""

    seconds: int
    practitioner_seconds: int
    since: Instant
    until: Instant

    def lasts(self, now: Instant) -> bool:
        """Whether time alone has changed nothing at `now`."""
        return self.since <= now < self.until

    def takes(self, fact: TimeLogged, now: Instant) -> bool:
        """Whether an entry added at `now` leaves all alerts as they are; it is then used up."""
        work = fact.work
        lasted = work.ended_at - work.started_at if isinstance(work, Clocked) else work.seconds
        if lasted >= self.seconds or not self.since <= now < self.until:
            return False
        if fact.performer.role is not _STAFF:
            if lasted >= self.practitioner_seconds:
                return False
            self.practitioner_seconds -= lasted
        self.seconds -= lasted
        return True


def slack_of(month: Reckoning, policy: Policy, now: Instant) -> Slack | None:
    """The slack of a month whose alerts have been decided at `now`; None where there is none.

    Where seconds are excluded for a reason that `earned` leaves aside, a threshold of `earned` may
    be nearer than any that is told: no slack is given.
    """
    if month.tally.lifted_in_earned:
        return None
    seconds = practitioner_seconds = NO_END
    margin = policy.approaching_seconds if may_still_count(month, now) else 0
    own = month.context.prerequisites.practitioners_own
    for nearest in month.next:
        # Until the threshold is approached; once it is, until it is reached.
        beyond = nearest.seconds_to_go - margin
        gap = beyond if beyond > 0 else nearest.seconds_to_go
        if nearest.family in own:
            practitioner_seconds = gap
        else:
            seconds = min(seconds, gap)
    return Slack(seconds, practitioner_seconds, now, _until(month, policy, now))


def slack_at_first(rules: RuleSet, policy: Policy, now: Instant) -> Slack | None:
    """The slack at `now` of a month that nothing was done in and no claim or service is in; None
    from some days before its end until it is over.

    Whatever the chart says: no alert is raised before the least of all thresholds is approached.
    """
    few_days, over, _ = ends_of_month(rules.month, "UTC", policy.at_risk_days)
    if now >= over + WIDEST_OFFSET_SECONDS:
        return Slack(rules.least_threshold_seconds, NO_END, now, NO_END)
    until = few_days - WIDEST_OFFSET_SECONDS
    if now >= until:
        return None
    return Slack(rules.least_threshold_seconds - policy.approaching_seconds, NO_END, now, until)


def _until(month: Reckoning, policy: Policy, now: Instant) -> Instant:
    """The next midnight at which time alone may change an alert."""
    few_days, over, _ = ends_of_month(month.month, month.timezone, policy.at_risk_days)
    if now < few_days:
        return few_days
    return over if now < over else NO_END
