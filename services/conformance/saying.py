"""A case's facts as CloudEvents: the baseline in front, and a time for those that name none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from services.conformance import reading
from services.conformance.reading import Wrong

SOURCE: Final = "conformance"
PRACTICE: Final = "conformance"
SIBLINGS: Final = frozenset({"at", "id", "source", "recorded_at"})
WHOLE_NUMBERS: Final = frozenset({"seconds", "units"})
BOOLEANS: Final = frozenset({"outside_us", "chronic", "ccm_discussed", "new_patient"})
OWN_DATE: Final = {
    "patient.enrolled": "effective_on",
    "patient.disenrolled": "effective_on",
    "patient.died": "died_on",
    "consent.recorded": "consented_on",
    "consent.revoked": "revoked_on",
    "condition.resolved": "resolved_on",
    "care_plan.recorded": "on",
    "visit.recorded": "on",
    "service.billed": "from",
    "stay.recorded": "admitted_on",
    "month.claimed": "submitted_on",
}
"""The member that dates a fact of this type; time entries have two forms, the rest none."""
SAME_THING: Final = {
    "time.logged": ("entry", "entry_id"),
    "time.amended": ("entry", "entry_id"),
    "time.voided": ("entry", "entry_id"),
    "month.claimed": ("claim", "month"),
    "month.reopened": ("claim", "month"),
    "complexity.assessed": ("mdm", "month"),
    "condition.recorded": ("condition", "code"),
    "condition.resolved": ("condition", "code"),
    "patient.enrolled": ("enrolment", "effective_on"),
}
"""What facts of this type are revisions of: a kind, and the member that tells which one."""


@dataclass(frozen=True, slots=True)
class Said:
    """One fact of a case as written: type without `.v1`, data, and what stands beside it."""

    type: str
    data: dict[str, Any]
    beside: Mapping[str, str]
    field: str
    """Where it stands in the case, for complaints."""


def baseline(overrides: object, month: str) -> Iterator[Said]:
    """The facts of a patient for whom nothing is missing, with the case's changes."""
    if overrides == "false":
        return
    changes = reading.mapping(overrides, "baseline")
    facts = _baseline_facts(month)
    reading.only(changes, "baseline", facts)
    for key, (name, data) in facts.items():
        field = f"baseline.{key}"
        change = changes.get(key, "")
        if not reading.is_null(change):
            members = {**data, **reading.mapping(change, field)}
            yield Said(name, _typed(members, field), {}, field)


def _baseline_facts(month: str) -> dict[str, tuple[str, dict[str, Any]]]:
    start = _two_months_before(month)
    npi = "1000000004"
    practitioner = {"npi": npi, "credential": "MD"}
    enrolled = {"timezone": "America/New_York", "billing_practitioner": practitioner}
    visit = {"on": start, "hcpcs": "99214", "npi": npi, "ccm_discussed": "true"}
    consent = {"consented_on": start, "method": "written", "npi": npi}
    return {
        "enrolled": ("patient.enrolled", {"effective_on": start, **enrolled}),
        "visit": ("visit.recorded", visit),
        "consent": ("consent.recorded", consent),
        "condition_1": ("condition.recorded", {"code": "I10", "chronic": "true"}),
        "condition_2": ("condition.recorded", {"code": "E11.9", "chronic": "true"}),
        "care_plan": ("care_plan.recorded", {"action": "established", "on": start}),
    }


def _two_months_before(month: str) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 3
    return f"{number // 12:04d}-{number % 12 + 1:02d}-01"


def written(events: object) -> Iterator[Said]:
    """The case's own facts, in its order."""
    for index, item in enumerate(reading.sequence(events, "events")):
        field = f"events[{index}]"
        members = reading.mapping(item, field)
        types = [name for name in members if name not in SIBLINGS]
        if len(types) != 1:
            found = ", ".join(types) or "none"
            raise Wrong(field, f"expected one event type beside {_siblings()}, found {found}")
        name = types[0]
        data = _typed(reading.mapping(members[name], f"{field}.{name}"), f"{field}.{name}")
        beside = {key: members[key] for key in members if key != name}
        for key, value in beside.items():
            reading.text(value, f"{field}.{key}")
        yield Said(name, data, beside, field)


def _siblings() -> str:
    return ", ".join(sorted(SIBLINGS))


def _typed(members: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Members with their JSON types; one that is null is left out."""
    return {
        name: _value(name, value, f"{field}.{name}")
        for name, value in members.items()
        if not reading.is_null(value)
    }


def _value(name: str, value: Any, field: str) -> Any:
    if isinstance(value, dict):
        return _typed(value, field)
    if isinstance(value, list):
        return [_value(name, item, f"{field}[{n}]") for n, item in enumerate(value)]
    if name in WHOLE_NUMBERS:
        return reading.whole_number(value, field)
    return reading.boolean(value, field) if name in BOOLEANS else value


def documents(said: list[Said], case_id: str, month: str) -> Iterator[dict[str, Any]]:
    """Structured CloudEvents of a case, with ids by place and default times."""
    clock = _Clock(month)
    for place, one in enumerate(said):
        source, name = one.beside.get("source", SOURCE), one.beside.get("id", f"e{place + 1}")
        document = {
            "specversion": "1.0",
            "id": name,
            "source": source,
            "type": f"{one.type}.v1",
            "practiceid": PRACTICE,
            "subject": case_id,
            "time": clock.time_of(one, place, (source, name)),
            "data": one.data,
        }
        if "recorded_at" in one.beside:
            document["recordedtime"] = one.beside["recorded_at"]
        yield document


class _Clock:
    """Gives each fact without `at` the time that the format promises (conformance/README.md)."""

    def __init__(self, month: str) -> None:
        self._latest = f"{month}-01T17:00:00Z"
        self._begun = False
        self._of_key: dict[tuple[str, str], str] = {}
        self._of_thing: dict[tuple[str, object], str] = {}

    def time_of(self, said: Said, place: int, key: tuple[str, str]) -> str:
        at = said.beside.get("at") or self._of_key.get(key) or self._default(said, place)
        self._of_key.setdefault(key, at)
        if _moment(at, said.field) > _moment(self._latest, said.field) or not self._begun:
            self._latest = at
        self._begun = True
        thing = _thing(said)
        if thing is not None:
            self._of_thing[thing] = max(
                at, self._of_thing.get(thing, at), key=lambda text: _moment(text, said.field)
            )
        return at

    def _default(self, said: Said, place: int) -> str:
        own = _own_date(said)
        if own is None:
            return _later(self._latest, said.field) if self._begun else self._latest
        at = f"{own}T17:00:00Z"
        at = _shown(_moment(at, said.field) + timedelta(seconds=place))
        thing = _thing(said)
        before = self._of_thing.get(thing) if thing is not None else None
        if before is not None and _moment(before, said.field) >= _moment(at, said.field):
            return _later(before, said.field)
        return at


def _thing(said: Said) -> tuple[str, object] | None:
    if said.type not in SAME_THING:
        return None
    kind, member = SAME_THING[said.type]
    return (kind, str(said.data.get(member)))


def _own_date(said: Said) -> str | None:
    """The day a fact is about, as written; None where it names none or names nonsense."""
    if said.type in ("time.logged", "time.amended"):
        ended_at = said.data.get("ended_at")
        found = said.data.get("performed_on", ended_at[:10] if isinstance(ended_at, str) else None)
    else:
        found = said.data.get(OWN_DATE.get(said.type, ""))
    try:
        return date.fromisoformat(found).isoformat() if isinstance(found, str) else None
    except ValueError:  # decoding will name the member
        return None


def _moment(text: str, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{field}.at", f"expected RFC 3339 with offset, found {text!r}") from None
    if moment.tzinfo is None:
        raise Wrong(f"{field}.at", f"expected RFC 3339 with offset, found {text!r}")
    return moment


def _later(text: str, field: str) -> str:
    return _shown(_moment(text, field) + timedelta(seconds=1))


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
