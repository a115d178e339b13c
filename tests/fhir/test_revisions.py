"""Versions of resources: what the log comes to, whatever order and however often they arrive."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from infra.eventstore import open_store
from tests.chain import verify_chain
from tests.fhir.made import NPI, Fed, chart, delivery, raw, site, task, to_patient, visit


def seconds(fed: Fed) -> int:
    found = fed.answers()
    return int(found[0]["seconds"]["logged"]) if found else 0


def test_a_chart_and_a_call_make_a_billable_month(fed: Fed) -> None:
    outcome = fed.take(*chart(), task(), feed=7)
    assert (outcome.accepted, outcome.dead_lettered) == (7, 0)
    (answer,) = fed.answers()
    assert (answer["status"], answer["codes"]) == ("billable", [{"code": "99490", "units": 1}])
    assert answer["blockers"] == []
    assert fed.store.tracking("feed") == 7
    assert ("time.logged.v1", "Task/t1/1/time") in [event[:2] for event in fed.events()]
    verify_chain(fed.store.log(0, 100))


def test_the_same_versions_again_have_no_effect(fed: Fed) -> None:
    fed.take(*chart(), task())
    before = (fed.events(), fed.answers())
    outcome = fed.take(*chart(), task())
    assert (outcome.accepted, outcome.ignored["repeated"]) == (0, 7)
    outcome = Fed(fed.store).take(task(), task())
    assert outcome.ignored["repeated"] == 2
    assert (fed.events(), fed.answers()) == before


def test_a_new_version_amends_time_and_an_older_one_is_superseded(fed: Fed) -> None:
    fed.take(*chart(), task(minutes=20))
    fed.take(task(minutes=30, version=2))
    assert (seconds(fed), fed.events()[-1][0]) == (1_800, "time.amended.v1")
    assert fed.take(task(minutes=20)).ignored["superseded"] == 1
    assert seconds(fed) == 1_800


def test_a_new_version_of_another_fact_retracts_what_it_said_before(fed: Fed) -> None:
    fed.take(*chart(), task())
    fed.take(visit(version=2, period={"start": "2025-01-03T10:00:00-05:00"}))
    names = [event[0] for event in fed.events()[-2:]]
    assert names == ["event.retracted.v1", "visit.recorded.v1"]
    assert fed.events()[-2][2]["event_id"] == "Encounter/v1/1/visit"
    assert fed.answers()[0]["status"] == "billable"


def test_what_is_unchanged_in_a_new_version_is_not_said_again(fed: Fed) -> None:
    fed.take(visit())
    outcome = fed.take(visit(version=2, text={"status": "generated"}))
    assert (outcome.accepted, outcome.ignored["unchanged"]) == (0, 1)
    fed.take(visit(version=3, status="entered-in-error"))
    assert fed.events()[-1][2]["event_id"] == "Encounter/v1/1/visit"


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_entered_in_error_or_cancelled_stands_no_more(fed: Fed, status: str) -> None:
    fed.take(*chart(), task(), visit("v2"))
    outcome = fed.take(task(version=2, status=status), visit("v2", version=2, status=status))
    assert outcome.accepted == 2
    assert {event[0] for event in fed.events()[-2:]} == {"time.voided.v1", "event.retracted.v1"}
    assert fed.answers() == []


def test_a_retraction_that_comes_first_keeps_the_late_version_out(fed: Fed) -> None:
    fed.take(task(version=2, status="entered-in-error"))
    assert fed.take(*chart(), task()).ignored["superseded"] == 1
    assert fed.answers() == []


def test_work_that_comes_back_after_a_void_counts_again(fed: Fed) -> None:
    fed.take(*chart(), task())
    fed.take(task(version=2, status="cancelled"))
    fed.take(task(version=3))
    assert seconds(fed) == 1_200


@pytest.mark.parametrize("apart", [True, False])
def test_any_order_of_versions_comes_to_the_same_answer(apart: bool) -> None:
    versions = [
        task(minutes=10),
        task(minutes=30, version=2),
        task(minutes=25, version=3),
        visit("v2", period={"start": "2025-03-02T09:00:00-05:00"}),
        visit("v2", version=2, status="entered-in-error"),
    ]
    found = set()
    for order in itertools.permutations(versions):
        fed = Fed(open_store("memory:"))
        fed.take(*chart())
        if apart:
            for version in order:
                fed.take(version)
        else:
            fed.take(*order)
        (answer,) = fed.answers()
        found.add(json.dumps({**answer, "stream_version": 0}))
    assert len(found) == 1
    assert json.loads(found.pop())["seconds"]["logged"] == 1_500


def test_a_resource_that_moves_to_another_patient_takes_its_facts_along(fed: Fed) -> None:
    fed.take(*chart(), task(), visit("v2"))
    moved = {"for": to_patient("pt2")}
    fed.take(task(version=2, **moved), visit("v2", version=2, subject=to_patient("pt2")))
    assert [(a["patient_id"], a["seconds"]["logged"]) for a in fed.answers()] == [("pt2", 1_200)]
    streams = [event.stream_id for event in fed.store.log(0, 100)][-4:]
    assert sorted(streams) == ["p1/pt1", "p1/pt1", "p1/pt2", "p1/pt2"]


def test_other_content_under_a_version_that_was_taken_is_for_review(fed: Fed) -> None:
    fed.take(*chart(), task())
    fed.take(task(minutes=40))
    (letter,) = fed.letters()
    assert (letter.reason, letter.value) == ("conflicting-duplicate", raw(task(minutes=40)))
    assert seconds(fed) == 1_200


def test_a_changed_profile_applies_when_a_version_comes_again(fed: Fed) -> None:
    fed.take(*chart(), task())
    staff = [{"id": "nc", "role": "non_clinical", "references": ["Practitioner/rn1"]}]
    changed = Fed(fed.store, site(staff=staff))
    assert changed.take(task()).accepted == 1
    assert fed.events()[-1][1] == "Task/t1/1/time~2"
    assert fed.answers()[0]["seconds"]["clinical_staff"] == 0
    assert changed.take(task()).ignored["repeated"] == 1


@pytest.mark.parametrize("dated", [True, False])
def test_a_deletion_withdraws_what_stood(fed: Fed, dated: bool) -> None:
    fed.take(*chart(), task(), visit("v2"))
    response = {"response": {"status": "204", "lastModified": "2025-03-11T00:00:00Z"}}
    entries = [
        {"request": {"method": "DELETE", "url": url}, **(response if dated else {})}
        for url in ("Task/t1", f"{site().source}/Encounter/v2", "Task/never-seen")
    ]
    outcome = fed.take({"resourceType": "Bundle", "type": "history", "entry": entries})
    assert outcome.accepted == 2
    assert fed.answers() == []
    again = fed.take({"resourceType": "Bundle", "type": "history", "entry": entries})
    assert (again.accepted, again.dead_lettered) == (0, 0)


def test_two_writers_of_one_resource_do_not_overwrite_each_other(fed: Fed) -> None:
    other = Fed(fed.store)
    fed.take(*chart())
    commit = fed.store.commit

    def first_the_other(batch: Any) -> None:
        fed.store.commit = commit  # type: ignore[method-assign]
        other.take(task(minutes=30, version=2))
        commit(batch)

    fed.store.commit = first_the_other  # type: ignore[method-assign]
    fed.take(task(minutes=20))
    assert seconds(fed) == 1_800


def test_history_stays_history_through_the_translation(fed: Fed) -> None:
    fed.take(*chart(), task(), history=True)
    assert fed.store.transitions(0, 9)[0].suppressed == "history"


def test_a_bad_event_of_a_resource_refuses_all_of_it(fed: Fed) -> None:
    bad = [{"npi": "1000000004", "credential": "MD", "references": ["Practitioner/md1"]}]
    assert bad[0]["npi"] == NPI
    person = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1000000005"}}
    stay = visit("v9", participant=[{"individual": person}])
    stay["class"] = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
    fed.take(stay)
    (letter,) = fed.letters()
    assert (letter.reason, letter.field) == ("invalid-member", "data.npi")
    assert (letter.value, fed.store.head()) == (raw(stay), 0)
    assert letter.headers == delivery(b"").headers
