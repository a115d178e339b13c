"""FHIR that nobody here wrote, through the translator and ingest: each resource has one end."""

from __future__ import annotations

import pytest

from services.translate import feed, resource
from tests.fhir.foreign import EVENTS, IGNORED, REFUSED, REVIEW, Tally, Trial, told, tried
from tests.fhir.foreign_inputs import DATA, SHARED, Input, inputs_of
from tests.fhir.made import raw, task

SAMPLES = ("hl7_r4.ndjson.gz", "hl7_r4b.ndjson.gz", "hl7_r5.ndjson.gz")

EXPECTED = {
    "hl7_r4.ndjson.gz": {EVENTS: 16, IGNORED: 153, REVIEW: 19, REFUSED: 1},
    "hl7_r4b.ndjson.gz": {EVENTS: 15, IGNORED: 113, REVIEW: 26, REFUSED: 1},
    "hl7_r5.ndjson.gz": {EVENTS: 20, IGNORED: 145, REVIEW: 29, REFUSED: 1},
}
MINUTES = {"hl7_r4.ndjson.gz": 1, "hl7_r4b.ndjson.gz": 1, "hl7_r5.ndjson.gz": 3}


def counts(tally: Tally) -> dict[str, int]:
    return {end: tally.total(end) for end in (EVENTS, IGNORED, REVIEW, REFUSED)}


@pytest.fixture(scope="module", params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> tuple[str, Tally]:
    return request.param, tried(DATA / request.param)


def test_every_official_example_has_one_end_with_a_reason(sample: tuple[str, Tally]) -> None:
    """And no minute that its resource does not tell: both are told as faults."""
    name, tally = sample
    assert tally.faults == []
    assert tally.inputs == sum(1 for _ in inputs_of(DATA / name)) > 100
    assert sum(tally.ends.values()) >= tally.inputs
    assert sum(tally.why.values()) >= sum(tally.ends.values())


def test_what_becomes_of_the_official_examples_stays_as_it_is(sample: tuple[str, Tally]) -> None:
    """A change here is a change of the mapping: look at `told(tally)` before you write it down."""
    name, tally = sample
    assert counts(tally) == EXPECTED[name], told(name, tally)
    assert tally.minutes == MINUTES[name]


def test_data_of_others_that_lie_beside_us() -> None:
    files = sorted(SHARED.glob("*fhir*.json")) + sorted(SHARED.glob("*r4*.ndjson.gz"))
    if not files:
        pytest.skip(f"no FHIR data of others in {SHARED}")
    for file in files:
        tally = tried(file)
        assert tally.faults == []
        assert 0 < tally.inputs <= sum(tally.ends.values())


def test_the_trial_sees_minutes_that_are_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is no mirror of the mapping: it reads the resource by itself."""
    good = resource.MAPPED["Task"]

    def padded(found: dict[str, object], site: object) -> list[object]:
        drafts = good(found, site)  # type: ignore[arg-type]
        drafts[0].data["ended_at"] = "2025-03-05T10:21:00-05:00"
        return list(drafts)

    monkeypatch.setattr(feed, "plain", lambda *_: None)
    code = {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]}
    given = Input("one", "R4", raw(task(code=code)))
    honest = Trial()
    honest.take(given)
    assert (honest.tally.minutes, honest.tally.faults) == (1, [])
    monkeypatch.setitem(resource.MAPPED, "Task", padded)
    liar = Trial()
    liar.take(given)
    assert liar.tally.faults == ["one: other instants than the resource's"]
