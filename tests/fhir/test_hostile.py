"""Whatever arrives: nothing raises, nothing vanishes, no minute is made up."""

from __future__ import annotations

import copy
import json
import logging
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.eventstore import open_store
from services.translate.mapping.chart import patient_identity
from services.translate.notification import read_notification
from services.translate.outcome import Ignore, Review
from services.translate.resource import MAPPED, drafts_of
from services.translate.unfold import unfold
from services.wire.refusal import Refused
from tests.fhir.made import (
    BASE,
    Fed,
    care_plan,
    condition,
    consent,
    delivery,
    episode,
    meta,
    raw,
    site,
    task,
    to_patient,
    visit,
)
from tests.fhir.mapped import call, claim, patient, procedure, stay
from tests.fhir.notified import notification

SITE = site(patients={"subject": "identifier", "system": "urn:oid:1.2.3.4"})
GOOD = [
    *(task(), call(), visit(), stay(), episode(), consent(), condition(), care_plan()),
    *(patient(deceasedDateTime="2025-03-04"), procedure(), claim()),
    notification("r4", "event-notification", 2, [1, 2], ["Task/t1", "Encounter/v1"], [task()]),
    notification("r5", "event-notification", 2, [1, 2], ["Task/t1", "Encounter/v1"], [visit()]),
    {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": visit()}]},
]

TWICE = b'{"resource":{"resourceType":"Bundle",%b}}'
TASK_IN = b'"entry":[' + TWICE % b'"entry":[{"resource":{"resourceType":"Task"}}]' + b"]"

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        (
            *("2025", "2025-13", "0001-01-01", "9999-12-31T23:59:59-14:00", "completed"),
            *("entered-in-error", "urn:uuid:x", "#p", f"{BASE}/Patient/1", "Task/t1", "\0"),
        )
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["coding", "code", "system", "reference", "start", "end", "value"])
            | st.text(max_size=5),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value inside."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(p for key, item in inner for p in places(item, (*path, key)))]


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A good resource or bundle with a few of its values replaced by any others."""
    resource = copy.deepcopy(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(resource)))
        if not path:
            return draw(values)
        *way, last = path
        inner = resource
        for key in way:
            inner = inner[key]
        inner[last] = draw(values)
    return resource


def drafts(resource: Any) -> None:
    """The pure functions, without the fence of the feed."""
    if not isinstance(resource, dict):
        return
    for work in (drafts_of, patient_identity):
        try:
            work(resource, SITE)
        except (Review, Ignore):
            continue
    read_notification(resource, "")


@settings(max_examples=400, deadline=None)
@given(broken())
def test_a_mapping_raises_nothing_but_review_and_ignore(resource: Any) -> None:
    drafts(resource)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({"resourceType": st.sampled_from(sorted(MAPPED))}), st.data())
def test_nor_does_it_for_a_resource_of_nonsense(
    resource: dict[str, Any], data: st.DataObject
) -> None:
    names = [name for good in GOOD for name in good if name != "resourceType"]
    nonsense = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=6))
    drafts({**nonsense, **resource})


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), broken().map(raw), values.map(raw)))
def test_unfolding_raises_nothing_but_a_refusal(value: bytes) -> None:
    with suppress(Refused):
        unfold(value, BASE)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.one_of(broken().map(raw), st.binary(max_size=40)), min_size=1, max_size=6))
def test_each_piece_ends_as_events_as_review_or_counted(
    caplog: pytest.LogCaptureFixture, messages: list[bytes]
) -> None:
    """And the fence behind the mappings is never needed."""
    caplog.set_level(logging.ERROR, "caretally.fhir")
    fed = Fed(open_store("memory:"))
    batch = [delivery(value, place=n) for n, value in enumerate(messages)]
    opened = fed.feed.open(batch)
    assert opened.whose is not None
    assert set(opened.whose) == set(range(len(messages)))
    events = Counter(item.piece for item in opened.incoming)
    rows = Counter(index for index, _ in opened.resources if index >= 0)
    quiet = sum(
        1
        for index, result in enumerate(opened.results)
        if result is None and not events[index] and not rows[index]
    )
    assert quiet <= opened.ignored.total()
    outcome = fed.ingest.take(batch)
    letters = fed.letters()
    assert outcome.dead_lettered == len(letters)
    assert all(letter.sentence and letter.value is not None for letter in letters)
    assert not caplog.records
    again = fed.ingest.take(batch)
    assert again.accepted == 0


@settings(max_examples=200, deadline=None)
@given(broken())
def test_no_minute_is_made_up(resource: Any) -> None:
    """Logged time always has both instants of the resource, or fewer seconds than lie between."""
    try:
        found = drafts_of(resource, SITE) if isinstance(resource, dict) else []
    except (Review, Ignore):
        return
    for draft in found:
        if draft.type != "time.logged.v1":
            continue
        said = json.dumps(resource)
        ends = [draft.data.get("started_at"), draft.data.get("ended_at")]
        if "seconds" in draft.data:
            assert "length" in resource
        else:
            assert all(json.dumps(end) in said for end in ends)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not-json"),
        (b"\xff", "not-json"),
        (b"[]", "not-fhir"),
        (b"{}", "not-fhir"),
        (b'{"resourceType":"Bundle","entry":7}', "not-fhir"),
        (b'{"resourceType":"Bundle","entry":[7]}', "not-fhir"),
        (b'{"resourceType":"Bundle","entry":[{"resource":{}}]}', "not-fhir"),
        (b'{"resourceType":"Bundle","entry":[%b]}' % (TWICE % b'"entry":7'), "not-fhir"),
        (b'{"resourceType":"Bundle","entry":[%b]}' % (TWICE % TASK_IN), "not-fhir"),
        (b'{"resourceType":"Task","resourceType":"Task"}', "not-json"),
        (b'{"request":{"method":"DELETE","url":"http://x/Task/1"}}', "not-fhir"),
        (b'{"resourceType":"Task","id":"x","text":"' + b"x" * 1_100_000 + b'"}', "too-large"),
        (None, "not-fhir"),
    ],
)
def test_what_is_no_fhir_is_kept_whole_with_the_reason(value: bytes | None, reason: str) -> None:
    fed = Fed(open_store("memory:"))
    fed.ingest.take([delivery(value)])
    assert [letter.reason for letter in fed.letters()] == [reason]


def test_a_large_bundle_of_small_resources_is_taken() -> None:
    fed = Fed(open_store("memory:"))
    padding = {"text": {"div": "x" * 10_000}}
    entries = [{"resource": task(f"t{n}", minutes=5, **padding)} for n in range(300)]
    outcome = fed.take({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert (outcome.accepted, outcome.results) == (300, [None])


def test_a_letter_of_a_piece_goes_in_again_as_that_piece() -> None:
    fed = Fed(open_store("memory:"))
    undated = {name: value for name, value in task().items() if name != "meta"}
    at = {"lastModified": "2025-03-10T17:00:00Z"}
    odd = {**undated, "owner": {"reference": "Practitioner/new"}}
    entries = [{"resource": odd, "response": at}, {"resource": visit()}]
    fed.take({"resourceType": "Bundle", "type": "history", "entry": entries}, history=True)
    (letter,) = fed.letters()
    assert (letter.reason, letter.origin, letter.value) == ("unknown-person", "test:0#0", raw(odd))
    staff = [{"id": "new", "role": "clinical_staff", "references": ["Practitioner/new"]}]
    mended = Fed(fed.store, site(staff=staff))
    from services.releasing import delivery_of

    outcome = mended.ingest.take([delivery_of(letter)])
    assert (outcome.accepted, mended.letters()) == (1, [])
    state = json.loads(fed.store.log(0, 9)[-1].state)
    assert (state["time"], state["history"]) == (at["lastModified"], True)


def test_without_a_recorded_time_the_profile_decides() -> None:
    undated = {name: value for name, value in task().items() if name != "meta"}
    fed = Fed(open_store("memory:"))
    fed.take(undated)
    assert [letter.reason for letter in fed.letters()] == ["no-recorded-time"]
    clinical = Fed(open_store("memory:"), site(without_last_updated="clinical-time"))
    assert clinical.take(undated).accepted == 1
    assert clinical.take(undated).ignored["repeated"] == 1
    changed = clinical.take({**undated, "owner": {"reference": "Practitioner/rn2"}})
    assert changed.dead_lettered == 1


def test_a_site_that_no_profile_names_is_for_review() -> None:
    fed = Fed(open_store("memory:"), site(), site(name="hill", source="https://hill.example"))
    from services.ingest import Delivery
    from services.translate.marks import marked

    fed.ingest.take([Delivery(raw(task()), None, marked(name), "t") for name in ("", "x", "hill")])
    assert [letter.reason for letter in fed.letters()] == ["unknown-site"] * 2
    assert len(fed.events()) == 1


def test_an_id_that_is_none_is_for_review() -> None:
    fed = Fed(open_store("memory:"))
    fed.take(task("a/b"), {**task(), **meta("x y")}, task(**{"for": to_patient("p q")}))
    assert sorted(letter.reason for letter in fed.letters()) == [
        "invalid-member",
        "missing-member",
        "unknown-patient",
    ]
