"""What else the API gives: histories, alerts, figures, refused input, what auditors ask for."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from zipfile import ZipFile

import pytest
from msgspec.structs import replace

from infra.codec import instant_text
from projections.ports import Store
from services.access import Role
from services.audit.access import SIGN_IN, Reader, record
from services.audit.claims import worklist
from services.audit.difference import difference
from services.audit.forms import difference_json, item_json
from services.histories import history_of
from tests.api.asked import MARCH, PT1, Asked
from tests.api.scene import UNKNOWN_TYPE, furnished, refuse
from tests.api.test_api_manners import refused
from tests.audit.golden import made as packet_made
from tests.audit.growing import GrowingLog
from tests.audit.scene import CLAIMED_US, CORRECTED_US

V1 = "/api/v1"
LETTERS = f"{V1}/dead-letters"


@pytest.fixture
def month(store: Store) -> GrowingLog:
    return furnished(store)


def test_a_timeline_tells_facts_corrections_and_alerts_as_they_were_recorded(
    month: GrowingLog, api: Asked
) -> None:
    whole = api.json(f"{PT1}/timeline")["items"]
    assert api.items(f"{PT1}/timeline", limit=3) == whole
    stored = month.store.log(0, 1_000)
    events = [one["event"] for one in whole if one["event"]]
    assert [(e["version"], e["type"]) for e in events] == [(s.version, s.name) for s in stored]
    alerts = [one["alert"] for one in whole if one["alert"]]
    rows = month.store.transitions(0, 1_000)
    assert alerts == [json.loads(row.body) for row in rows]
    assert [one["recorded_at"] for one in whole] == sorted(one["recorded_at"] for one in whole)
    assert [one["event"]["type"] for one in whole if one["kind"] == "correction"] == [
        "time.amended.v1",
        "event.retracted.v1",
        "time.voided.v1",
    ]
    for before, after in pairwise(whole):
        if after["alert"]:
            assert before["stream_version"] == after["stream_version"]
    then = api.items(f"{PT1}/timeline", as_of=instant_text(CLAIMED_US))
    assert then == [one for one in whole if one["recorded_at"] <= instant_text(CLAIMED_US)]
    refused(api.get(f"{PT1}9/timeline"), 404)


def test_alerts_come_in_pages_with_the_bytes_that_subscribers_get(
    month: GrowingLog, api: Asked
) -> None:
    rows = month.store.transitions(0, 1_000)
    whole = api.json(f"{V1}/alerts")["items"]
    assert whole == [{"position": r.position, "alert": json.loads(r.body)} for r in rows]
    assert rows[0].body in api.get(f"{V1}/alerts").content
    assert api.items(f"{V1}/alerts", limit=1) == whole
    for name, value in (
        ("type", "claim.diverged"),
        ("code", "99439"),
        ("state", "resolved"),
        ("month", "2025-03"),
        ("patient", "pt1"),
    ):
        fitting = [
            one for one in whole if one["alert"].get(f"{name}_id", one["alert"].get(name)) == value
        ]
        assert api.items(f"{V1}/alerts", limit=1, **{name: value}) == fitting
    assert api.items(f"{V1}/alerts", patient="pt9") == []
    leads = api.client.get(f"{V1}/alerts/stream", params={"type": "claim.diverged"})
    assert (leads.status_code, leads.headers["location"]) == (
        307,
        "/alerts/stream?type=claim.diverged",
    )


def test_figures_of_a_practice_and_the_practices_there_are(api: Asked) -> None:
    assert api.json(f"{V1}/practices")["items"] == [{"practice_id": "p1"}]
    whole = api.items(f"{V1}/panel", limit=1)
    assert [one["month"] for one in whole] == ["2025-02", "2025-03"]
    (march,) = api.json(f"{V1}/panel", month="2025-03")["items"]
    assert march == {
        "practice_id": "p1",
        "month": "2025-03",
        "patients": 1,
        "by_status": {"diverged": 1},
        "codes": {"99439": 1, "99490": 1},
        "amounts": {"diverged": "106.42"},
    }
    api.bind("p2")
    assert api.json(f"{V1}/panel")["items"] == api.json(f"{V1}/practices")["items"] == []


def test_refused_input_is_listed_without_and_shown_with_what_came(api: Asked) -> None:
    first, second = api.items(LETTERS, limit=1)
    assert (first["reason"], first["practice_id"], first["review"]) == ("unknown-type", "p1", False)
    assert (second["reason"], second["practice_id"]) == ("not-json", None)
    whole = api.json(f"{LETTERS}/1")
    assert whole["value"] == {"text": UNKNOWN_TYPE.decode()}
    assert whole["key"] == {"text": "p1/pt1"}
    assert api.json(f"{LETTERS}/2")["value"] == {"base64": "/3s="}
    assert api.items(LETTERS, reason="unknown-type") == [first]
    assert api.items(LETTERS, review="true") == []
    refused(api.get(f"{LETTERS}/3"), 404)
    refused(api.get(f"{LETTERS}/0"))


def test_a_letter_is_put_in_again_and_not_twice(month: GrowingLog, api: Asked) -> None:
    again = api.client.post(f"{LETTERS}/1/replay")
    assert again.json()["taken"] is False
    assert again.json()["reason"] == "unknown-type"
    # As a later release would: the type is known by then.
    real = month.ingest.take
    month.ingest.take = lambda given: real(  # type: ignore[method-assign]
        [
            replace(
                one,
                value=UNKNOWN_TYPE.replace(b"time.guessed.v1", b"patient.died.v1").replace(
                    b'"data":{}', b'"data":{"died_on":"2025-04-01"}'
                ),
            )
            for one in given
        ]
    )
    assert api.client.post(f"{LETTERS}/1/replay").json()["taken"] is True
    assert refused(api.client.post(f"{LETTERS}/1/replay"), 409)["detail"].startswith("expected")
    assert [one["id"] for one in api.items(LETTERS)] == [2]
    assert [one["id"] for one in api.items(LETTERS, all="true")] == [1, 2]
    assert [one.what for one in api.reads()].count(f"{LETTERS}/1/replay") == 3


def test_a_letter_is_seen_by_those_of_its_practice_alone(month: GrowingLog, api: Asked) -> None:
    """One that names two practices, or none, is for those who see all of them."""
    refuse(month, UNKNOWN_TYPE, key=b"p2/pt1")
    api.bind("p1", role=Role.INTEGRATOR)
    assert [one["id"] for one in api.items(LETTERS)] == [1]
    api.bind("p2", role=Role.INTEGRATOR)
    assert api.items(LETTERS) == []
    for number in (1, 2, 3):
        refused(api.get(f"{LETTERS}/{number}"), 404)
        refused(api.client.post(f"{LETTERS}/{number}/replay"), 404)
    api.bind("p1", role=Role.COORDINATOR)
    refused(api.get(LETTERS), 403)


def test_a_difference_and_a_packet_are_those_of_the_command(month: GrowingLog, api: Asked) -> None:
    parts = month.parts
    ends = (CLAIMED_US, CORRECTED_US)
    history = history_of(parts.store, "p1", "pt1", ends[1])
    policy = parts.settings.policy_of("p1")
    found = difference(history, "2025-03", *ends, parts.book, policy)
    words = [instant_text(at) for at in ends]
    answer = api.get(f"{MARCH}/difference", **{"from": words[0], "to": words[1]})
    assert answer.content == difference_json(found, *words)
    turned = api.get(f"{MARCH}/difference", **{"from": words[1], "to": words[0]})
    assert turned.content == answer.content
    packed = api.get(f"{MARCH}/packet")
    assert packed.content == packet_made(month)
    assert packed.headers["content-type"] == "application/zip"
    assert "evidence.html" in ZipFile(io.BytesIO(packed.content)).namelist()
    assert 'filename="p1-pt1-2025-03.zip"' in packed.headers["content-disposition"]
    api.bind("p2")
    refused(api.get(f"{MARCH}/packet"), 404)


def test_the_worklist_of_claims_is_the_one_of_the_command(month: GrowingLog, api: Asked) -> None:
    expected = worklist(month.parts)
    assert [item.kind for item in expected] == ["diverged"]
    assert item_json(expected[0]) in api.get(f"{V1}/claims").content
    at = instant_text(CLAIMED_US - 1)
    (unclaimed,) = api.items(f"{V1}/claims", as_of=at)
    assert unclaimed["kind"] == "unclaimed"
    assert api.items(f"{V1}/claims", as_of=at, kind="diverged") == []
    api.bind("p2")
    assert api.items(f"{V1}/claims") == []


def test_the_access_log_is_read_as_json_and_as_fhir_and_is_read_itself(api: Asked) -> None:
    api.get(MARCH)
    api.get(f"{V1}/assessments", practice="p2")
    api.get(f"{V1}/practices/p2/patients/x/timeline")
    listed = api.items(f"{V1}/accesses", limit=2)
    assert [one["what"] for one in listed][:2] == [MARCH, f"{V1}/assessments"]
    fhir = api.get(f"{V1}/accesses", {"accept": "application/fhir+ndjson"}, patient="pt1")
    lines = [json.loads(line) for line in fhir.text.splitlines()]
    assert {one["resourceType"] for one in lines} == {"AuditEvent"}
    clerk = Reader("http", "somebody of p2")
    record(api.parts.store, api.parts.clock, clerk, SIGN_IN, {"way": "password"})
    assert [one for one in api.items(f"{V1}/accesses") if one["what"] == SIGN_IN]
    api.bind("p1", role=Role.AUDITOR)
    mine = api.items(f"{V1}/accesses")
    assert not [one for one in mine if one["wanted"].get("practice") == "p2"]
    assert [one for one in mine if one["wanted"].get("practice") == "p1"]
    assert not [one for one in mine if one["what"] == SIGN_IN]
    api.bind("p1", role=Role.BILLER)
    refused(api.get(f"{V1}/accesses"), 403)
