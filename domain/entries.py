"""Time entries: each a set of revisions, of which the one with the greatest order stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.event import Event, EventKey
from domain.facts import Clocked, Month, Role, TimeAmended, TimeLogged, Work
from domain.time.calendar import month_of, months_possible


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of an entry. `always_excluded` is a reason that no policy and no day changes."""

    entry_id: str
    event: Event
    work: Work
    by_practitioner: bool
    activity: str
    always_excluded: str | None


def _standing(event: Event, fact: TimeLogged | TimeAmended) -> Standing:
    return Standing(
        entry_id=fact.entry_id,
        event=event,
        work=fact.work,
        by_practitioner=fact.performer.role is Role.BILLING_PRACTITIONER,
        activity=fact.activity,
        always_excluded=_always_excluded(fact),
    )


def _always_excluded(fact: TimeLogged | TimeAmended) -> str | None:
    if fact.program != "ccm":
        return "other-program"
    if fact.performer.role is Role.NON_CLINICAL:
        return "non-clinical"
    if fact.performer.outside_us:
        return "outside-us"
    return None


def months_of_work(work: Work) -> tuple[Month, ...]:
    """Every month the work may fall in, whatever the zone."""
    if isinstance(work, Clocked):
        return months_possible(work.started_at, work.ended_at)
    return (month_of(work.performed_on),)


class Entry:
    """One `entry_id` with all its revisions, arrived in any order."""

    __slots__ = ("effective", "entry_id", "months", "revisions", "standing", "unwithdrawn")

    def __init__(self, entry_id: str) -> None:
        self.entry_id = entry_id
        self.revisions: list[Event] = []
        self.unwithdrawn: list[Event] = []
        self.effective: Event | None = None
        self.standing: Standing | None = None
        self.months: set[Month] = set()
        """Months that any revision may touch: what a change of this entry can change."""

    def add(self, event: Event, withdrawn: Collection[EventKey]) -> None:
        self.revisions.append(event)
        fact = event.fact
        if isinstance(fact, TimeLogged | TimeAmended):
            self.months.update(months_of_work(fact.work))
        if event.key not in withdrawn:
            self._consider(event)

    def settle(self, withdrawn: Collection[EventKey]) -> None:
        """Work out anew what stands, after the set of withdrawn events changed."""
        self.effective = self.standing = None
        self.unwithdrawn = []
        for event in self.revisions:
            if event.key not in withdrawn:
                self._consider(event)

    def _consider(self, event: Event) -> None:
        self.unwithdrawn.append(event)
        if self.effective is not None and self.effective.order > event.order:
            return
        self.effective = event
        fact = event.fact
        self.standing = (
            _standing(event, fact) if isinstance(fact, TimeLogged | TimeAmended) else None
        )
