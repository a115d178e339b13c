"""Since when a claim has been more than the facts support: the day the clock began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from domain.assess import reckon
from domain.event import Event
from domain.facts import Month
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules import RuleBook
from services.histories import History


@dataclass(frozen=True, slots=True)
class Diverged:
    """`first_us`: the first instant at which the standing claim was not supported as claimed;
    `since_us`: that from which it has not been without a break."""

    first_us: int
    since_us: int


def divergence(history: History, month: Month, book: RuleBook, policy: Policy) -> Diverged | None:
    """When the claim that stands on the month became known to be unsupported; None where it is
    supported, none stands, or the log does not say when it learnt of the facts.

    Instants are of recording, microseconds since the epoch; what one transaction stored was known
    at once. Facts alone are asked: rules, fees and policy are today's throughout.
    """
    claim = history.patient().chart.claims.get(month)
    if claim is None:
        return None
    patient = Patient(history.practice_id, history.patient_id)
    first: int | None = None
    since: int | None = None
    for at, events in _moments(history.events):
        for event in events:
            evolve(patient, event)
        stands = patient.chart.claims.get(month) is claim
        if not (stands and reckon(patient, month, book, policy).diverged):
            since = None
            continue
        first = at if first is None else first
        since = at if since is None else since
    return None if first is None or since is None else Diverged(first, since)


def _moments(events: Iterable[Event]) -> Iterable[tuple[int, Iterable[Event]]]:
    """The events by when they were recorded; those of no known instant belong to the one before."""
    latest = 0

    def instant(event: Event) -> int:
        nonlocal latest
        latest = max(latest, event.recorded_at_us or 0)
        return latest

    return groupby(events, key=instant)
