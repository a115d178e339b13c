"""Who a patient of theirs is: said by events, waited for, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.linking import link, native, released
from tests.fhir.made import BASE, Fed, chart, condition, consent, meta, raw, site, task, visit

MRN = "urn:oid:1.2.3.4"
BY_MRN = {"subject": "identifier", "system": MRN}


def patient(mrn: str = "ours-1", id: str = "pt1", **changes: Any) -> dict[str, Any]:
    identifiers = [{"system": MRN, "value": mrn}, {"system": "urn:ssn", "value": "x"}]
    return {"resourceType": "Patient", "id": id, **meta(), "identifier": identifiers, **changes}


@pytest.fixture
def by_mrn(fed: Fed) -> Fed:
    return Fed(fed.store, site(patients=BY_MRN))


def test_an_unknown_patient_waits_and_is_taken_when_the_link_arrives(linked: Fed) -> None:
    outcome = linked.take(*chart(), task(), feed=3)
    assert (outcome.accepted, outcome.dead_lettered) == (0, 7)
    assert {letter.reason for letter in linked.letters()} == {"unknown-patient"}
    assert linked.letters()[6].value == raw(task())
    assert released(linked) == 0
    native(linked, link())
    assert released(linked) == 7
    assert linked.letters() == []
    (answer,) = linked.answers()
    assert (answer["patient_id"], answer["status"]) == ("ours-1", "billable")
    assert linked.store.tracking("feed") == 3


def test_no_letter_names_whom_it_waits_for(linked: Fed) -> None:
    linked.take(task())
    (letter,) = linked.letters()
    said = f"{letter.sentence}{letter.field}{letter.waits_for}{letter.origin}"
    assert "pt1" not in said


def test_a_released_letter_that_cannot_be_mapped_tells_the_new_reason(linked: Fed) -> None:
    linked.take(consent(status="inactive"), condition(onsetDateTime="2019"), task())
    assert [letter.reason for letter in linked.letters()] == [
        "imprecise-date",
        "imprecise-date",
        "unknown-patient",
    ]
    native(linked, link())
    assert released(linked) == 1
    assert released(linked) == 0


def test_a_letter_refused_again_waits_for_something_else(linked: Fed) -> None:
    linked.take(visit())
    changed = Fed(linked.store, site(patients={"subject": "linked"}, practitioners=[]))
    native(changed, link())
    assert released(changed) == 0
    (letter,) = changed.letters()
    assert (letter.reason, letter.waits_for, letter.value) == ("unknown-person", "", raw(visit()))
    assert released(changed) == 0


def test_a_link_in_the_same_batch_is_known_to_what_follows(linked: Fed) -> None:
    from services.ingest import Delivery
    from tests.fhir.made import delivery

    batch = [Delivery(link(), None, (), "test"), delivery(raw(task()))]
    assert linked.ingest.take(batch).accepted == 2


def test_the_last_link_stands_and_a_retraction_undoes_it(linked: Fed) -> None:
    native(linked, link())
    native(linked, link("ours-2", id="l2", time="2025-03-02T00:00:00Z"))
    linked.take(task())
    assert linked.answers()[0]["patient_id"] == "ours-2"
    data = {"event_source": "/mpi", "event_id": "l2", "reason": "wrong"}
    native(linked, link("ours-2", id="r", type="event.retracted.v1", data=data))
    linked.take(task(version=2))
    assert linked.answers()[0]["patient_id"] == "ours-1"
    assert len(linked.answers()) == 1


def test_a_link_changes_no_month(linked: Fed) -> None:
    native(linked, link())
    linked.take(*chart(), task())
    (before,) = linked.answers()
    native(linked, link(id="l2", value="other"))
    (after,) = linked.answers()
    assert {**before, "stream_version": 0} == {**after, "stream_version": 0}


def test_a_patient_resource_links_by_the_identifier_of_the_profile(by_mrn: Fed) -> None:
    by_mrn.take(task())
    assert by_mrn.letters()[0].reason == "unknown-patient"
    outcome = by_mrn.take(patient(), visit())
    assert outcome.accepted == 2
    assert by_mrn.events()[0][:2] == ("identity.linked.v1", "Patient/pt1/1/identity")
    assert released(by_mrn) == 1
    assert by_mrn.answers()[0]["patient_id"] == "ours-1"


def test_a_patient_record_that_is_given_another_number_is_linked_anew(by_mrn: Fed) -> None:
    by_mrn.take(patient(), task())
    by_mrn.take({**patient("ours-2"), **meta(2, "2025-03-11T00:00:00Z")}, task(version=2))
    assert [answer["patient_id"] for answer in by_mrn.answers()] == ["ours-2"]


def test_a_link_is_made_though_the_rest_of_the_resource_is_for_review(by_mrn: Fed) -> None:
    by_mrn.take(patient(deceasedBoolean=True), task())
    assert [letter.reason for letter in by_mrn.letters()] == ["imprecise-date"]
    assert by_mrn.answers()[0]["patient_id"] == "ours-1"


@pytest.mark.parametrize(
    ("identifiers", "reason"),
    [
        ([], "unknown-patient"),
        ([{"system": MRN, "value": "a"}, {"system": MRN, "value": "b"}], "ambiguous"),
        ("x", "unknown-patient"),
    ],
)
def test_none_or_two_numbers_are_for_review(by_mrn: Fed, identifiers: Any, reason: str) -> None:
    by_mrn.take(patient(identifier=identifiers))
    assert [letter.reason for letter in by_mrn.letters()] == [reason]


def test_a_logical_identifier_needs_no_link(by_mrn: Fed) -> None:
    by_mrn.take(task(**{"for": {"identifier": {"system": MRN, "value": "ours-9"}}}))
    assert by_mrn.answers()[0]["patient_id"] == "ours-9"


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/pt1",
        f"{BASE}/Patient/pt1",
        f"{BASE}/Patient/pt1/_history/4",
        "urn:uuid:pt1",
    ],
)
def test_every_form_of_reference_means_the_same_patient(fed: Fed, reference: str) -> None:
    assert fed.take(task(**{"for": {"reference": reference}})).accepted == 1
    assert fed.answers()[0]["patient_id"] == "pt1"


@pytest.mark.parametrize(
    "reference", ["https://other.example/fhir/Patient/pt1", "Group/pt1", "Patient/", "#p", 7, None]
)
def test_a_reference_to_anybody_else_is_for_review(fed: Fed, reference: Any) -> None:
    fed.take(task(**{"for": {"reference": reference}}))
    assert [letter.reason for letter in fed.letters()] == ["unknown-patient"]


def bundled(patient_id: str | None, **changes: Any) -> dict[str, Any]:
    """A transaction that calls its patient by a name of its own."""
    told = {"resourceType": "Patient", **meta(), **({"id": patient_id} if patient_id else {})}
    call = task(**{"for": {"reference": "urn:uuid:aaaa-1"}, **changes})
    entries = [{"fullUrl": "urn:uuid:aaaa-1", "resource": told}, {"resource": call}]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def test_a_bundles_own_name_for_a_patient_means_the_entry_it_is_of(fed: Fed) -> None:
    fed.take(bundled("pt7"))
    assert [answer["patient_id"] for answer in fed.answers()] == ["pt7"]
    fed.take(bundled("aaaa-1", id="t2"))
    assert {answer["patient_id"] for answer in fed.answers()} == {"pt7", "aaaa-1"}


def test_a_bundles_name_for_a_patient_without_an_id_is_nobodys(fed: Fed) -> None:
    fed.take(bundled(None))
    assert ([letter.reason for letter in fed.letters()], fed.answers()) == (["unknown-patient"], [])
    assert released(fed) == 0


def test_a_letter_remembers_whom_its_bundle_meant(linked: Fed) -> None:
    linked.take(bundled("pt7"))
    native(linked, link(value="pt7"))
    assert released(linked) == 1
    assert linked.answers()[0]["patient_id"] == "ours-1"


def test_a_replaced_record_is_carried_over_and_comes_back(fed: Fed) -> None:
    """Patient.link: replaced-by, and a later version without it."""

    def seconds() -> dict[str, int]:
        return {a["patient_id"]: a["seconds"]["logged"] for a in fed.answers()}

    theirs = {"reference": "Patient/pt2"}
    fed.take(*chart(), task("t1", 12), task("t2", 9, **{"for": theirs}))
    link = [{"type": "replaced-by", "other": {"reference": "Patient/pt1"}}]
    replaced = {"resourceType": "Patient", "id": "pt2", "active": False, "link": link}
    fed.take({**replaced, **meta(2, "2025-03-10T18:00:00Z")})
    assert (seconds(), fed.letters()) == ({"pt1": 21 * 60}, [])
    fed.take(task("t2", 10, 2, **{"for": theirs}), task("t3", 1, **{"for": theirs}))
    assert seconds() == {"pt1": 23 * 60}
    fed.take(task("t2", 8, 3))
    assert seconds() == {"pt1": 21 * 60}
    parted = {"resourceType": "Patient", "id": "pt2", **meta(3, "2025-03-10T19:00:00Z")}
    fed.take(parted)
    assert (seconds(), fed.letters()) == ({"pt1": 20 * 60, "pt2": 60}, [])


def test_a_replaced_record_waits_for_the_one_in_its_place(linked: Fed) -> None:
    native(linked, link("old", "pt2"))
    named = [{"type": "replaced-by", "other": {"reference": "Patient/pt1"}}]
    linked.take({"resourceType": "Patient", "id": "pt2", **meta(), "link": named})
    assert [each.reason for each in linked.letters()] == ["unknown-patient"]
    native(linked, link("new", "pt1", "l2"))
    assert released(linked) == 1
    assert ("patient.merged.v1", {"into": "new"}) in [(n, d) for n, _, d in linked.events()]
