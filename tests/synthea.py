"""CCM events on top of patients whom nobody here made up: Synthea's encounters, conditions, plans.

The source has no CCM minutes, consents or claims, so these are simulated, each from a hash of the
encounter's own id: the same file gives the same events. What is taken from the source as it is:
who the patients are, when they were seen or admitted, what ails them, their care plans, deaths.

Dates: events lie in 2015-01-01..2026-10-31. A patient whose last encounter is older than 2020 is
moved forward by whole weeks, as one piece, so that it falls into the last days of that window;
what then still lies before 2015 is left out, except that a chronic condition which began earlier
is recorded at enrolment. Billing practitioners, zones and staff are made up.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.demo.vocabulary import Data, Message, clocked, message, performer, unclocked

FILE = Path(__file__).parents[2] / "shared" / "data" / "synthea_r4_half.ndjson.gz"
PRACTICE = "synthea"
SOURCE = "urn:synthea:r4"
FIRST = datetime(2015, 1, 1, 12, tzinfo=UTC)
LAST = datetime(2026, 10, 30, tzinfo=UTC)
RECENT = datetime(2020, 1, 1, tzinfo=UTC)
ONSET_FIRST = date(2010, 1, 1)
NPIS = ("1000000004", "1000000012", "1000000038")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
ROLES = ("clinical_staff", "clinical_staff", "other_practitioner", "billing_practitioner")
WELLNESS = frozenset({"185349003", "162673000"})
VISITS = WELLNESS | {"390906007", "185345009", "185347001", "316744009", "308335008"}

ICD_OF_SNOMED = {
    "15777000": "R73.03",
    "38341003": "I10",
    "55822004": "E78.5",
    "88805009": "I50.9",
    "40055000": "J32.9",
    "26929004": "G30.9",
    "230265002": "G30.0",
    "64859006": "M81.0",
    "53741008": "I25.10",
    "49436004": "I48.91",
    "44054006": "E11.9",
    "302870006": "E78.1",
    "237602007": "E88.81",
    "239873007": "M17.9",
    "239872002": "M16.9",
    "201834006": "M19.049",
    "82423001": "G89.29",
    "124171000119105": "G43.719",
    "368581000119106": "E11.40",
    "128613002": "G40.909",
    "84757009": "G40.909",
    "185086009": "J44.9",
    "87433001": "J43.9",
    "422034002": "E11.319",
    "1551000119108": "E11.329",
    "431855005": "N18.1",
    "127013003": "E11.21",
    "90560007": "M10.9",
    "69896004": "M06.9",
    "370143000": "F32.9",
    "7200002": "F10.20",
    "126906006": "C61",
    "363406005": "C18.9",
    "109838007": "C18.8",
    "162864005": "E66.9",
}
"""The chronic conditions of the data, each by one fitting ICD-10-CM code; the rest is acute."""


@dataclass
class Chart:
    """One patient's resources as they lie in the file."""

    patient: Data = field(default_factory=dict)
    encounters: list[Data] = field(default_factory=list)
    conditions: list[Data] = field(default_factory=list)
    plans: list[Data] = field(default_factory=list)


def draw(text: str, below: int) -> int:
    """A number in 0..below-1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below


def synthea_events() -> list[Message]:
    """All events, by `time` then id; skips the calling test where the data are not there."""
    if not FILE.exists():
        pytest.skip(f"no Synthea data: {FILE.name} is not in {FILE.parent}")
    events: list[Message] = []
    for chart in _charts().values():
        events.extend(Story(chart).events())
    return sorted(events, key=lambda event: (event["time"], event["id"]))


def _charts() -> dict[str, Chart]:
    charts: dict[str, Chart] = defaultdict(Chart)
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            resource = json.loads(line)
            kind = resource["resourceType"]
            if kind == "Patient":
                charts[resource["id"]].patient = resource
            elif kind in ("Encounter", "Condition", "CarePlan"):
                chart = charts[resource["subject"]["reference"].rsplit(":", 1)[-1].split("/")[-1]]
                shelf = {"Encounter": chart.encounters, "Condition": chart.conditions}
                shelf.get(kind, chart.plans).append(resource)
    return {key: chart for key, chart in charts.items() if chart.patient and chart.encounters}


def _code(concept: Data) -> str:
    return str(concept["coding"][0]["code"])


class Story:
    """One patient's chart, moved into the window and told as events."""

    def __init__(self, chart: Chart) -> None:
        self.id = str(chart.patient["id"])
        self.chart = chart
        self.zone = ZONES[draw(f"{self.id}/zone", len(ZONES))]
        self.npi = NPIS[draw(f"{self.id}/npi", len(NPIS))]
        ends = [datetime.fromisoformat(e["period"]["end"]) for e in chart.encounters]
        weeks = (LAST - max(ends)).days // 7 if max(ends) < RECENT else 0
        self.shift = timedelta(weeks=max(0, weeks))
        seen = [e for e in chart.encounters if self.start(e) >= FIRST and self.end(e) <= LAST]
        self.encounters = sorted(seen, key=lambda e: (self.start(e), str(e["id"])))

    def start(self, encounter: Data) -> datetime:
        return datetime.fromisoformat(encounter["period"]["start"]) + self.shift

    def end(self, encounter: Data) -> datetime:
        return datetime.fromisoformat(encounter["period"]["end"]) + self.shift

    def day(self, at: datetime) -> date:
        """The patient's own date of an instant."""
        return at.astimezone(ZoneInfo(self.zone)).date()

    def events(self) -> Iterator[Message]:
        seen = [e for e in self.encounters if e["class"]["code"] == "AMB"]
        if not seen:
            return
        first = self.start(seen[0])
        yield from self._beginning(first)
        yield from self._conditions(first)
        yield from self._plans(first)
        for encounter in self.encounters:
            yield from self._encounter(encounter)

    def _say(self, type: str, name: str, at: datetime, data: Data) -> Message:
        return message(
            id=f"{type}/{name}",
            source=SOURCE,
            type=type,
            practice=PRACTICE,
            patient=self.id,
            time=at,
            data=data,
        )

    def _beginning(self, first: datetime) -> Iterator[Message]:
        on = self.day(first)
        biller: dict[str, Any] = {"npi": self.npi, "credential": "MD"}
        data = {"effective_on": on.isoformat(), "timezone": self.zone}
        yield self._say("patient.enrolled", self.id, first, data | {"billing_practitioner": biller})
        if draw(f"{self.id}/consent", 10):
            data = {"consented_on": on.isoformat(), "method": "written", "npi": self.npi}
            yield self._say("consent.recorded", self.id, first + timedelta(minutes=1), data)
        if died := self.chart.patient.get("deceasedDateTime"):
            at = datetime.fromisoformat(died) + self.shift
            if FIRST <= at <= LAST + timedelta(days=1):
                day = self.day(at).isoformat()
                yield self._say("patient.died", self.id, at, {"died_on": day})

    def _conditions(self, first: datetime) -> Iterator[Message]:
        for condition in self.chart.conditions:
            code = ICD_OF_SNOMED.get(_code(condition["code"]))
            onset = datetime.fromisoformat(condition["onsetDateTime"]) + self.shift
            if code is None or onset > LAST:
                continue
            data: Data = {"code": code, "chronic": True}
            if self.day(onset) >= ONSET_FIRST:
                data["onset_on"] = self.day(onset).isoformat()
            name = str(condition["id"])
            yield self._say("condition.recorded", name, max(onset, first), data)
            if ended := condition.get("abatementDateTime"):
                at = datetime.fromisoformat(ended) + self.shift
                if first <= at <= LAST:
                    data = {"code": code, "resolved_on": self.day(at).isoformat()}
                    yield self._say("condition.resolved", name, at, data)

    def _plans(self, first: datetime) -> Iterator[Message]:
        for plan in self.chart.plans:
            at = datetime.fromisoformat(plan["period"]["start"]) + self.shift
            if at > LAST:
                continue
            at = max(at, first)
            data: Data = {"action": "established", "on": self.day(at).isoformat()}
            data["document"] = str(plan["id"])
            yield self._say("care_plan.recorded", str(plan["id"]), at, data)

    def _encounter(self, encounter: Data) -> Iterator[Message]:
        name, kind, end = str(encounter["id"]), encounter["class"]["code"], self.end(encounter)
        start_on, end_on = self.day(self.start(encounter)).isoformat(), self.day(end).isoformat()
        if kind == "IMP":
            stay = {"kind": "inpatient", "admitted_on": start_on, "discharged_on": end_on}
            yield self._say("stay.recorded", name, end, stay)
        if kind == "AMB" and (code := _code(encounter["type"][0])) in VISITS:
            established = ("99213", "99214", "99214")[draw(f"{name}/level", 3)]
            hcpcs = "G0439" if code in WELLNESS else established
            visit: Data = {"on": start_on, "hcpcs": hcpcs, "npi": self.npi}
            visit["ccm_discussed"] = draw(f"{name}/discussed", 2) == 0
            yield self._say("visit.recorded", name, end, visit)
        for number in range(1 + draw(f"{name}/entries", 3)):
            yield from self._time(encounter, f"{name}.{number}")
        yield from self._monthly(name, end)

    def _time(self, encounter: Data, name: str) -> Iterator[Message]:
        """Work on an encounter: 3 to 25 minutes that begin, and where they can end, within it."""
        start, end = self.start(encounter), self.end(encounter)
        spare = max(1, int((end - start).total_seconds()) - 180)
        began = start + timedelta(seconds=draw(f"{name}/start", min(spare, 3600)))
        room = int((end - began).total_seconds())
        seconds = min(180 + draw(f"{name}/seconds", 22 * 60 + 1), max(180, room))
        who = performer(*self._performer(name))
        program = "rpm" if draw(f"{name}/program", 25) == 0 else "ccm"
        if draw(f"{name}/clock", 8) == 0:
            entry = unclocked(name, who, "care_coordination", self.day(began), seconds, program)
        else:
            entry = clocked(name, who, "care_coordination", began, seconds, program)
        at = began + timedelta(seconds=seconds + draw(f"{name}/said", 1800))
        if draw(f"{name}/late", 40) == 0 and at + timedelta(days=9) <= LAST:
            at += timedelta(days=9)
        yield self._say("time.logged", name, at, entry)
        if draw(f"{name}/void", 60) == 0:
            void = {"entry_id": name, "reason": "wrong-patient"}
            yield self._say("time.voided", name, at + timedelta(hours=2), void)

    def _performer(self, name: str) -> tuple[str, str]:
        role = ROLES[draw(f"{name}/role", len(ROLES))]
        if role == "billing_practitioner":
            return f"md-{self.npi}", role
        return f"{role[:2]}-{draw(f'{name}/who', 6)}", role

    def _monthly(self, name: str, end: datetime) -> Iterator[Message]:
        """Now and then the month's decision making is judged, or the month is claimed."""
        month = self.day(end).isoformat()[:7]
        if draw(f"{name}/mdm", 20) == 0:
            data: Data = {"month": month, "mdm": "moderate", "npi": self.npi}
            yield self._say("complexity.assessed", name, end + timedelta(hours=1), data)
        at = end + timedelta(days=35)
        if draw(f"{name}/claim", 25) == 0 and at <= LAST:
            claim: Data = {"month": month, "codes": [{"code": "99490", "units": 1}]}
            claim |= {"claim_id": name, "submitted_on": at.date().isoformat()}
            yield self._say("month.claimed", name, at, claim)
