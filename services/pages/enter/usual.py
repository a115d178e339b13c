"""What a new form holds before anybody has put anything in: what is most likely right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from domain.facts import Clocked, Instant, Month, Performer, TimeAmended, TimeLogged
from domain.patient import Patient
from domain.policy import Policy
from domain.time.calendar import local_date
from domain.time.timeline import Timeline
from services.access.principal import EVERYBODY_HERE, Principal, Role
from services.histories import History
from services.pages.enter.clockwords import clock_text, length_text
from services.pages.enter.fields import Blank, Field

ACTIVITIES: Final = (
    "care_coordination",
    "medication_management",
    "medication_reconciliation",
    "patient_education",
    "care_plan_update",
    "referral_follow_up",
)
CREDENTIALS: Final = ("MD", "DO", "NP", "PA", "CNS", "CNM")
TODAY: Final = frozenset(
    {"on", "consented_on", "revoked_on", "resolved_on", "effective_on", "admitted_on", "from"}
)
"""Days that are most often today's."""


@dataclass(frozen=True)
class Desk:
    """Who fills in a form about whom, and when."""

    person: Principal
    history: History
    policy: Policy
    month: Month
    now: Instant

    @cached_property
    def patient(self) -> Patient:
        return self.history.patient()

    @cached_property
    def timeline(self) -> Timeline:
        return Timeline(self.patient.chart.spans, self.policy.default_timezone)

    @property
    def timezone(self) -> str:
        """The patient's, now."""
        return zone_at(self.timeline, self.now)

    @property
    def today(self) -> date:
        return local_date(self.now, self.timezone)

    def offers(self) -> dict[str, Sequence[str]]:
        """Values that fields offer, by the name of the list."""
        facts = list(_time_facts(self.history))
        performers = {fact.performer.id for fact in facts} | {own_id(self.person)}
        activities = {*ACTIVITIES, *(fact.activity for fact in facts)}
        return {
            "performers": sorted(performers - {""}),
            "activities": sorted(activities),
            "credentials": CREDENTIALS,
        }


def own_id(person: Principal) -> str:
    """Under which id a person's own time is logged; empty where nobody signs in."""
    return "" if person == EVERYBODY_HERE else person.name


def usual(blank: Blank, desk: Desk) -> dict[str, str]:
    """Texts by field."""
    found = {field.name: _usual(field, desk) for field in blank.fields}
    return found | who_usually(desk) if blank.is_time else found


def who_usually(desk: Desk) -> dict[str, str]:
    """Who worked, in which role and at what: as this person logged time last."""
    own = own_id(desk.person)
    last = next((f for f in _time_facts(desk.history) if f.performer.id == own), None)
    if last is not None:
        role, activity = last.performer.role.value, last.activity
    else:
        role = "clinical_staff" if Role.COORDINATOR in desk.person.roles else ""
        activity = ACTIVITIES[0]
    return {"performer": own, "role": role, "activity": activity}


def of_entry(desk: Desk, entry_id: str) -> dict[str, str] | None:
    """An entry as it stands, as texts of a time form; None where none stands."""
    entry = desk.patient.entries.get(entry_id)
    fact = entry.standing.event.fact if entry and entry.standing else None
    if not isinstance(fact, TimeLogged | TimeAmended):
        return None
    return {"entry_id": entry_id, **_who(fact.performer), "activity": fact.activity} | {
        **_when(desk, fact),
        "program": "" if fact.program == "ccm" else fact.program,
    }


def _who(performer: Performer) -> dict[str, str]:
    outside = "yes" if performer.outside_us else ""
    return {"performer": performer.id, "role": performer.role.value, "outside_us": outside}


def _when(desk: Desk, fact: TimeLogged | TimeAmended) -> dict[str, str]:
    work = fact.work
    if not isinstance(work, Clocked):
        return {"on": work.performed_on.isoformat(), "minutes": length_text(work.seconds)}
    return stretch(desk.timeline, work.started_at, work.ended_at)


def stretch(timeline: Timeline, started_at: Instant, ended_at: Instant) -> dict[str, str]:
    """A start and a length, on the patient's own clock."""
    timezone = zone_at(timeline, started_at)
    day = local_date(started_at, timezone)
    return {
        "on": day.isoformat(),
        "start": clock_text(started_at, timezone),
        "minutes": length_text(ended_at - started_at),
    }


def zone_at(timeline: Timeline, at: Instant) -> str:
    """The patient's time zone at an instant: that of the day which the clocks there show."""
    guess = timeline.timezone_on(local_date(at, timeline.default_timezone))
    return timeline.timezone_on(local_date(at, guess))


def _usual(field: Field, desk: Desk) -> str:
    span = desk.timeline.span_on(desk.today)
    enrolled = span.enrolment if span else None
    if field.name in TODAY:
        return desk.today.isoformat()
    if field.name == "month":
        return desk.month
    if field.name == "npi" and enrolled:
        return enrolled.billing_practitioner.npi
    if field.name == "timezone":
        return enrolled.timezone if enrolled else desk.policy.default_timezone
    if field.kind == "choice" and field.name in ("provider_kind", "setting"):
        return field.choices[0]
    return ""


def _time_facts(history: History) -> Iterator[TimeLogged | TimeAmended]:
    """The latest first."""
    for event in reversed(history.events):
        if isinstance(event.fact, TimeLogged | TimeAmended):
            yield event.fact
