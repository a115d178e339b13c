"""The quick way of the resources that come most says what the full way says, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.eventstore import open_store
from infra.eventstore.translated import open_translations
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.translate import feed
from services.translate.feed import FhirFeed
from services.translate.feeds import Feeds
from services.translate.marks import marked
from services.translate.plain import plain
from services.translate.quick import QuickWay
from services.translate.site import Site
from services.wire.modes import HISTORY
from tests.fhir import made
from tests.fhir.damage import Damage
from tests.fhir.linking import link
from tests.fhir.made import PROFILE, Fed, raw, site, task
from tests.fhir.mapped import call
from tests.fhir.test_hostile import broken
from tests.thoroughness import examples

ANYBODY = {**PROFILE["time"], "default_role": "clinical_staff"}
SITES = [
    site(),
    site(time=ANYBODY),
    site(patients={"subject": "linked"}),
    site(patients={"subject": "identifier", "system": "urn:oid:1.2.3"}),
    site(practice="praxis-ü", time=ANYBODY),
    site(visits={"codes": {f"{made.ACT}|VR": "99213"}}),
    site(stays={"codes": {f"{made.ACT}|VR": "other"}}),
]
PRIMARY = {
    "type": [made.coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF")],
    "individual": {"reference": "Practitioner/rn1"},
}
OTHER = {"actor": {"reference": "Practitioner/rn2"}}


def opened(
    profile: Site, values: list[bytes], full: bool, *more: tuple[str, bytes], store: Any = None
) -> Opened:
    """The batch, by both ways or by the full way alone."""
    store = store or open_store("memory:")
    feeds = Feeds(open_translations(store), FhirFeed({"river": profile}))
    batch = [Delivery(value, None, marked("river", *more), "t") for value in values]
    with pytest.MonkeyPatch.context() as patched:
        if full:
            patched.setattr(feed, "plain", lambda *_: None)
        return feeds.open(batch)


def said(found: Opened) -> Any:
    return (
        found.pieces,
        found.results,
        found.incoming,
        found.resources,
        found.ignored,
        found.whose,
    )


def alike(profile: Site, values: list[bytes], *more: tuple[str, bytes]) -> Opened:
    found = opened(profile, values, False, *more)
    assert said(found) == said(opened(profile, values, True, *more))
    return found


GOOD: list[tuple[Any, bool]] = [
    (task(), True),
    (call(), True),
    (call(participant=[PRIMARY, OTHER]), True),
    (call(participant=[OTHER], **{"class": [made.coded(made.ACT, "VR")]}), True),
    (call(status="completed", period=None, actualPeriod=call()["period"]), True),
    (call(text={"div": '<div lang="é">a: "b"\n</div>'}, display="ü"), True),
    (call(meta={"versionId": "1", "lastUpdated": "2025-03-10T17:00:00.123Z"}), True),
    (task(meta={"lastUpdated": "2025-03-10T17:00:00+01:00"}), True),
    (task(code=made.coded("s", "other")), True),
    (call(**{"class": {"system": made.ACT, "code": "AMB"}}), True),
    (call(**{"class": {}}), False),
    (call(length={"value": 15, "code": "min"}), False),
    (call(participant=[PRIMARY, PRIMARY, OTHER]), False),
    (call(hospitalization={}), False),
    (task(verificationStatus=made.coded("s", "entered-in-error")), False),
    (task(status="entered-in-error"), False),
    (task(subject=made.to_patient("pt2")), False),
    (task(code={"coding": [{"system": made.LOCAL, "code": "ccm-call"}], "text": "\\u003a"}), False),
]


@pytest.mark.parametrize(("resource", "quickly"), GOOD)
def test_both_ways_give_the_same(resource: Any, quickly: bool) -> None:
    """And what comes most goes the quick way: else it would be slow, and nobody would see it."""
    value = raw(resource)
    found = plain(value, made.BASE)
    for profile in SITES:
        alike(profile, [value])
    alike(SITES[0], [value], (HISTORY, b"true"), ("content-type", b"application/fhir+json"))
    store = open_store("memory:")
    knowing = Feeds(open_translations(store), FhirFeed({"river": SITES[0]}))._knowing([])
    taken = QuickWay(SITES[0], "x").take(found, knowing, False) if found else None
    assert (taken is not None) == quickly


def test_a_linked_patient_is_found_by_both() -> None:
    store = open_store("memory:")
    Fed(store, SITES[2]).ingest.take([Delivery(link(), None, (), "t")])
    found, full = (opened(SITES[2], [raw(task())], way, store=store) for way in (False, True))
    assert said(found) == said(full)
    assert [item.stream_id for item in found.incoming] == ["p1/ours-1"]


def test_names_that_come_twice_are_seen_by_both() -> None:
    value = raw(task())
    for twice in (b'"id":"t2",', b'"\\u0069d":"t2",', b'"a":{"b":1,"b":2},', b'"a\\u003ab":1,'):
        found = alike(SITES[0], [b"{" + twice + value[1:]])
        assert (found.results == [None]) == (b"003a" in twice)


@pytest.mark.parametrize("profile", SITES)
def test_damaged_messages_end_alike(profile: Site) -> None:
    damage = Damage(7)
    for _ in range(60):
        alike(profile, [damage.message() for _ in range(20)])


TIMES = st.sampled_from(
    [
        *("2025-03-05T10:00:00-05:00", "2025-03-05T10:20:00-05:00", "2025-03-05T15:10:00Z"),
        *("2025-03-05T10:00:00.5-05:00", "2025-03-05T10:20:00.999999Z", "2025-03-06T11:00:00Z"),
        *("2025-03-05t10:00:00z", "2025-03-05T10:00:00", "2025-03-05T10:00:60Z", "2025-03-05"),
        *("2009-12-31T23:59:59Z", "2010-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2025-W10-3"),
        *("2025-03-05T10:00:00+24:00", "2025-03-05T10:00:00-00:00", "2025-03-05T24:00:00Z", ""),
        *("2025-03-05 10:00:00Z", "2025-03-05T10:00:00+0500", "1799-01-01T00:00:00Z"),
        "2025-03-05T10:00:00.1234567Z",
    ]
)  # fmt: skip


@settings(max_examples=examples(400), deadline=None)
@given(TIMES, TIMES, TIMES, st.sampled_from([task(), call()]), st.sampled_from(SITES))
def test_every_form_of_time_is_read_alike(
    start: str, end: str, recorded: str, resource: dict[str, Any], profile: Site
) -> None:
    name = "executionPeriod" if resource["resourceType"] == "Task" else "period"
    meta = {"versionId": "1", "lastUpdated": recorded}
    alike(profile, [raw({**resource, name: {"start": start, "end": end}, "meta": meta})])


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(broken().map(raw), min_size=1, max_size=4), st.sampled_from(SITES))
def test_broken_resources_end_alike(values: list[bytes], profile: Site) -> None:
    alike(profile, values)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=6), st.sampled_from(SITES[:4]))
def test_any_text_in_a_reference_an_id_or_a_version_is_read_alike(
    reference: str, id: str, version: str, profile: Site
) -> None:
    owner = {"reference": f"Practitioner/{reference}"}
    meta = {"versionId": version, "lastUpdated": "2025-03-10T17:00:00Z"}
    named = {"reference": f"Patient/{id}"}
    for found in (task(id, owner=owner, **{"for": named}), call(id=id, subject=named)):
        value = json.dumps({**found, "meta": meta}, ensure_ascii=False)
        alike(profile, [value.encode("utf-8", "replace")])
