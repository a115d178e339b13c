"""One month with everything that a packet has to tell, always the same."""

from __future__ import annotations

from datetime import date

from domain import facts as f
from domain.event import Event
from projections.ports import Store
from tests.audit.growing import DAY_US, GrowingLog
from tests.given import (
    OTHER_NPI,
    clocked,
    condition,
    consent,
    enrolled,
    event,
    five_pm,
    staff,
    visit,
    voided,
)

MONTH = "2025-03"
BEGIN_US = 1_743_508_800_000_000
"""2025-04-01T12:00:00Z."""
CLAIMED_US = BEGIN_US + 2 * DAY_US
CORRECTED_US = BEGIN_US + 9 * DAY_US


def named(id: str, said: Event) -> Event:
    return event(said.fact, said.time, id=id)


def chart() -> list[Event]:
    plan = f.CarePlanRecorded("established", date(2025, 1, 9), "doc-77")
    shared = f.CarePlanRecorded("shared", date(2025, 1, 10))
    return [
        named("enrol", enrolled("2025-01-06")),
        named("visit", visit("2025-01-06")),
        named("consent", consent("2025-01-06", method="verbal")),
        named("i10", condition("I10", "2025-01-06")),
        named("e11", condition("E11.9", "2025-01-06")),
        event(plan, five_pm("2025-01-09"), id="plan"),
        event(shared, five_pm("2025-01-10"), id="plan-shared"),
    ]


def work() -> list[Event]:
    rn = f.Performer("rn1", f.Role.CLINICAL_STAFF)
    fax = f.TimeLogged("t6", rn, "administrative", f.Clocked(1_742_580_000, 1_742_580_900))
    return [
        named("w1", clocked("t1", "2025-03-05T09:00:00-05:00", "2025-03-05T09:21:00-05:00")),
        named("w2", clocked("t2", "2025-03-05T09:15:00-05:00", "2025-03-05T09:30:00-05:00")),
        named(
            "w3",
            clocked(
                "t3",
                "2025-03-12T14:00:00-04:00",
                "2025-03-12T14:11:30-04:00",
                role="billing_practitioner",
            ),
        ),
        named("w4", staff("t4", "2025-03-18", 1_500)),
        named("w5", clocked("t5", "2025-03-31T23:50:00-04:00", "2025-04-01T00:10:00-04:00")),
        event(fax, "2025-03-21T18:20:00Z", id="w6"),
        named("w7", staff("t7", "2025-02-10", 900)),
    ]


def around() -> list[Event]:
    service = f.ServiceBilled("99495", date(2025, 3, 20), date(2025, 3, 20), OTHER_NPI)
    stay = f.StayRecorded("inpatient", date(2025, 3, 17), date(2025, 3, 18))
    return [
        event(service, five_pm("2025-03-22"), id="tcm"),
        event(stay, five_pm("2025-03-18"), id="stay"),
    ]


def claim() -> Event:
    lines = (f.CodeUnits("99490", 1), f.CodeUnits("99439", 2))
    fact = f.MonthClaimed(MONTH, lines, "claim-1", date(2025, 4, 3))
    return event(fact, five_pm("2025-04-03"), id="claim")


def corrections() -> list[Event]:
    rn = f.Performer("rn1", f.Role.CLINICAL_STAFF)
    shorter = f.Unclocked(date(2025, 3, 18), 840)
    amended = f.TimeAmended("t4", rn, "care_coordination", shorter, "typed 25 for 14 minutes")
    wrong = f.EventRetracted("urn:test:ehr", "w2", "entered in error")
    return [
        event(amended, "2025-04-09T15:00:00Z", id="a4"),
        event(wrong, "2025-04-09T15:05:00Z", id="r2"),
        named("v5", voided("t5", "2025-04-10T08:00:00Z")),
    ]


def lived(store: Store) -> GrowingLog:
    """The month in the store: earned, claimed, corrected afterwards."""
    log = GrowingLog(store)
    log.take(chart(), BEGIN_US)
    log.take([*work(), *around()], BEGIN_US + DAY_US)
    log.take([claim()], CLAIMED_US)
    log.take(corrections(), CORRECTED_US)
    return log
