"""What we read of data that nobody here wrote is what the models of `fhir.resources` read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from services.translate.notification import read_notification
from tests.fhir.alike import Compared, model_of
from tests.fhir.foreign_inputs import DATA, SHARED, Input, inputs_of
from tests.fhir.made import task
from tests.fhir.notified import notification

SAMPLES = ("hl7_r4.ndjson.gz", "hl7_r4b.ndjson.gz", "hl7_r5.ndjson.gz")
EVERY = 20
"""Of the large set every so many resources are read by both."""


def both(given: Iterable[Input]) -> tuple[Counter[str], list[str]]:
    """What both readers read of all inputs, and what they read differently."""
    read: Counter[str] = Counter()
    differences: list[str] = []
    for each in given:
        resource = json.loads(each.value)
        compared = Compared()
        compared.compare(resource, model_of(resource, each.release), resource["resourceType"])
        read += compared.read
        differences += [f"{each.name} {found}" for found in compared.differences]
    return read, differences


@pytest.mark.parametrize("name", SAMPLES)
def test_dates_periods_codes_and_references_are_read_alike(name: str) -> None:
    read, differences = both(inputs_of(DATA / name))
    assert differences == []
    assert min(read[kind] for kind in ("concept", "date", "reference", "period")) > 80
    assert read["less"] > 0  # a year or a month alone, which is a date to them and none to us


def test_data_of_others_that_lie_beside_us_are_read_alike() -> None:
    file = SHARED / "synthea_r4_half.ndjson.gz"
    if not file.exists():
        pytest.skip(f"no Synthea data: {file.name} is not in {file.parent}")
    read, differences = both(list(inputs_of(file))[::EVERY])
    assert differences == []
    assert read["period"] > 100


def statuses() -> Iterator[tuple[str, Any, Any]]:
    """Every notification's status among the examples: its name, as JSON, and as a model."""
    for name in SAMPLES:
        for given in inputs_of(DATA / name):
            bundle = json.loads(given.value)
            for entry in [{"resource": bundle}, *bundle.get("entry", [])]:
                resource = entry.get("resource") or {}
                if resource.get("resourceType") == "SubscriptionStatus":
                    yield given.name, resource, model_of(resource, given.release)


def test_notifications_are_counted_alike() -> None:
    types: Counter[str] = Counter()
    for name, resource, model in statuses():
        ours = read_notification(resource, "")
        assert ours is not None
        types[ours.type] += 1
        assert (ours.type, ours.subscription) == (model.type, model.subscription.reference), name
        events = model.notificationEvent or []
        assert ours.numbers == tuple(int(event.eventNumber) for event in events), name
        told = [event.focus.reference for event in events if event.focus]
        assert ours.focus == tuple(dict.fromkeys(told)), name
        assert ours.count == int(model.eventsSinceSubscriptionStart), name
    assert set(types) == {"handshake", "heartbeat", "event-notification", "query-status",
                          "query-event"}  # fmt: skip


def test_a_status_of_r4_is_read_as_its_parameters_are() -> None:
    said = notification("r4", "event-notification", 9, [8, 9], ["Task/t1", "Task/t2"])
    status = said["entry"][0]["resource"]
    model: Any = model_of(status, "R4")
    ours = read_notification(status, "")
    assert ours is not None
    named = {each.name: each for each in model.parameter}
    assert str(ours.count) == named["events-since-subscription-start"].valueString
    parts = [part for each in model.parameter for part in each.part or []]
    numbers = [int(part.valueString) for part in parts if part.name == "event-number"]
    focus = [part.valueReference.reference for part in parts if part.name == "focus"]
    assert (list(ours.numbers), list(ours.focus)) == (numbers, focus)


def test_the_comparison_sees_a_difference() -> None:
    good = task()
    moved = {**good, "executionPeriod": {**good["executionPeriod"], "end": "2025-03-05T10:21:00Z"}}
    other = {**good, "code": {"coding": [{"system": "s", "code": "c"}]}}
    for changed in (moved, other, {**good, "owner": {"reference": "Practitioner/rn2"}}):
        compared = Compared()
        compared.compare(changed, model_of(good, "R4"), "Task")
        assert compared.differences
