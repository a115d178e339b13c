"""Where a page is: whose practice, which month, what day it is there, and who asks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Final

from domain.facts import Instant, Month
from domain.time.calendar import first_day, last_day, local_date, month_of
from infra.eventstore.browsing import open_browsing
from infra.eventstore.enrolled import open_enrolled
from projections.enrolled import EnrolledPatients
from services.access.principal import Principal
from services.bootstrap import Parts
from services.wire import instants

KEPT_SECONDS: Final = 5.0
MONTHS_SHOWN: Final = 12
"""How many months back the chooser offers; an address reaches any."""


class Refusal(Exception):
    """Ends a request with a page that says what was wrong and what to do."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


@dataclass(frozen=True, slots=True)
class Place:
    """One practice's month as one principal sees it now."""

    principal: Principal
    practices: tuple[str, ...]
    """Those that the principal sees."""
    practice: str
    month: Month
    now: Instant
    today: date
    """The practice's: a day is over there once it is over in all its zones."""

    @property
    def current(self) -> Month:
        """The practice's running month."""
        return month_of(self.today)

    @property
    def days_left(self) -> int:
        """Days of the month from today to its end, today included; 0 once it is over."""
        if self.month < self.current:
            return 0
        start = max(self.today, first_day(self.month))
        return (last_day(self.month) - start).days + 1

    @property
    def months(self) -> tuple[Month, ...]:
        """What the chooser offers, the newest first; always this one among them."""
        usual = {months_before(self.current, back) for back in range(MONTHS_SHOWN)}
        return tuple(sorted({*usual, self.month}, reverse=True))

    @property
    def before(self) -> Month:
        """The month before this one."""
        return months_before(self.month, 1)

    @property
    def after(self) -> Month | None:
        """The month after this one; None for one that has not begun."""
        return months_before(self.month, -1) if self.month < self.current else None


class Places:
    """Finds the place of a request from the store and the process's own clock."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._enrolled: EnrolledPatients = open_enrolled(parts.store)
        self._browsing = open_browsing(parts.store)
        self._kept: dict[str, list[str]] = {}
        self._kept_until = float("-inf")

    def zones(self, of: str | None = None) -> dict[str, list[str]]:
        """Every practice with the time zones of its enrolments, a few seconds old at most; read
        anew for a practice (`of`) that is not among them. Reading looks at every enrolment."""
        if of not in (None, *self._kept) or time.monotonic() >= self._kept_until:
            self._kept = self._read_zones()
            self._kept_until = time.monotonic() + KEPT_SECONDS
        return self._kept

    def _read_zones(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in self._browsing.practices()}
        for practice, zone in self._enrolled.zones():
            found.setdefault(practice, []).append(zone)
        return found

    def of(self, principal: Principal, practice: str | None, month: str | None) -> Place:
        """The place; without a practice the first that the principal sees, without a month the
        running one. A practice that somebody is bound to is there before its first patient is.
        Raises Refusal for a practice not seen and a month out of form."""
        zones = self.zones(practice)
        known = zones.keys() | (principal.practices or frozenset())
        seen = tuple(principal.seen(known))
        if practice is None:
            practice = next((one for one in seen if one in zones), seen[0] if seen else "")
        elif practice not in seen:
            detail = f"There is no practice {practice!r} that you may look at."
            raise Refusal(404, "No such practice", detail)
        now = self._parts.clock() // 1_000_000
        default = self._parts.settings.policy_of(practice).default_timezone
        today = min(local_date(now, zone) for zone in zones.get(practice) or [default])
        return Place(principal, seen, practice, _month(month, today), now, today)


def _month(text: str | None, today: date) -> Month:
    if text is None:
        return month_of(today)
    try:
        return instants.month(text)
    except ValueError:
        detail = f"A month is YYYY-MM from 2010-01 to 2099-12; found {text[:20]!r}."
        raise Refusal(404, "No such month", detail) from None


def months_before(month: Month, months: int) -> Month:
    year, number = int(month[:4]), int(month[5:])
    before = year * 12 + number - 1 - months
    return f"{before // 12:04}-{before % 12 + 1:02}"


def month_words(month: Month) -> str:
    """`November 2025`."""
    return f"{first_day(month):%B %Y}"
