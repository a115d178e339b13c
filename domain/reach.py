"""How far a fact other than time reaches: the months whose answer it may bear on."""

from __future__ import annotations

from domain.facts import (
    CarePlanRecorded,
    ComplexityAssessed,
    ConsentRecorded,
    ConsentRevoked,
    Fact,
    IdentityLinked,
    Month,
    MonthClaimed,
    MonthReopened,
    ServiceBilled,
    StayRecorded,
    VisitRecorded,
)
from domain.time.calendar import month_of

FIRST_MONTH: Month = "0000-00"
LAST_MONTH: Month = "9999-99"


def reach(fact: Fact) -> tuple[Month, Month]:
    """First and last month that the fact may bear on, under any policy and any rule set.

    A consent, plan, visit or stay says nothing of the months before its day. Enrolment, death
    and conditions are kept as the last word on a thing whose earlier word may have had any other
    day: they reach everywhere.
    """
    match fact:
        case ComplexityAssessed() | MonthClaimed() | MonthReopened():
            return (fact.month, fact.month)
        case ServiceBilled():
            return (month_of(fact.from_on), month_of(fact.through_on))
        case ConsentRecorded():
            return (month_of(fact.consented_on), LAST_MONTH)
        case ConsentRevoked():
            return (month_of(fact.revoked_on), LAST_MONTH)
        case CarePlanRecorded() | VisitRecorded():
            return (month_of(fact.on), LAST_MONTH)
        case IdentityLinked():
            return (LAST_MONTH, FIRST_MONTH)  # no month at all
        case StayRecorded():
            return (month_of(fact.admitted_on), LAST_MONTH)
        case _:
            return (FIRST_MONTH, LAST_MONTH)
