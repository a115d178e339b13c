"""What the examples of others taught: each was a fault when they were first put in."""

from __future__ import annotations

from typing import Any

import pytest

from infra.eventstore import open_store
from services.releasing import delivery_of
from services.translate.resource import drafts_of
from tests.fhir import made
from tests.fhir.made import Fed, task, visit
from tests.fhir.mapped import R5_CONSENT, call, claim, patient, procedure, stay, why
from tests.fhir.notified import SUBSCRIPTION, notification
from tests.fhir.test_notifications import EVENT, RELEASES, wishes


@pytest.fixture
def one() -> Fed:
    return Fed(open_store("memory:"))


def test_a_large_document_of_a_kind_that_is_not_mapped_is_nothing_of_ours(one: Fed) -> None:
    """Feeds bring reports with a whole PDF inside; none of them may hold up or fill the queue."""
    document = {"resourceType": "DocumentReference", "id": "d", "content": "x" * 1_300_000}
    alone = one.take(document)
    assert (alone.results, alone.ignored["kind-not-mapped"]) == ([None], 1)
    bundled = one.take({"resourceType": "Bundle", "entry": [{"resource": document}]})
    assert (bundled.dead_lettered, bundled.ignored["kind-not-mapped"]) == (0, 1)
    assert one.take({**task(), "note": "x" * 1_100_000}).dead_lettered == 1


@pytest.mark.parametrize(
    ("resource", "field"),
    [
        (call(period=None), "period.start"),
        (call(period={"start": "2025-03-05T10:00:00Z"}), "period.end"),
        (stay(status="in-progress", period=None), "period.start"),
        (task(executionPeriod=None), "executionPeriod.start"),
        (made.episode(period=None), "period.start"),
    ],
)
def test_a_date_that_is_not_there_is_told_as_missing(resource: Any, field: str) -> None:
    assert why(resource) == f"missing-member@{field}"


def test_a_diagnosis_of_a_visit_without_a_clinical_status_says_nothing_of_today() -> None:
    """US Core wants that status of the problem list alone."""
    category = "http://terminology.hl7.org/CodeSystem/condition-category"
    diagnosis = [made.coded(category, "encounter-diagnosis")]
    assert why(made.condition(clinicalStatus=None, category=diagnosis)) == "encounter-diagnosis"
    both = [*diagnosis, made.coded(category, "problem-list-item")]
    assert (
        why(made.condition(clinicalStatus=None, category=both)) == "missing-member@clinicalStatus"
    )


def test_the_answers_of_a_batch_of_searches_are_taken_one_by_one(one: Fed) -> None:
    found = [
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each}]}
        for each in (task(), visit(), task("t2", code=None, status="completed"))
    ]
    entries = [{"resource": each, "response": {"status": "200"}} for each in found]
    outcome = one.take({"resourceType": "Bundle", "type": "batch-response", "entry": entries})
    assert (outcome.accepted, outcome.dead_lettered) == (2, 0)
    assert outcome.ignored["task-not-mapped"] == 1


@pytest.mark.parametrize("release", RELEASES)
def test_a_notification_inside_another_message_is_for_review(one: Fed, release: str) -> None:
    """Its numbers would go uncounted otherwise."""
    said = notification(release, EVENT, 1, [1], ["Task/t1"])
    one.take({"resourceType": "Bundle", "type": "message", "entry": [{"resource": said}]})
    assert [letter.reason for letter in one.letters()] == ["not-fhir"]


def test_bundles_in_bundles_in_bundles_are_for_review(one: Fed) -> None:
    inner: dict[str, Any] = {"resourceType": "Bundle", "entry": [{"resource": task()}]}
    for _ in range(3):
        inner = {"resourceType": "Bundle", "entry": [{"resource": inner}]}
    assert one.take(inner).dead_lettered == 1


@pytest.mark.parametrize("release", RELEASES)
def test_a_handshake_after_a_failure_tells_what_was_missed(fed: Fed, release: str) -> None:
    """A server that gave up begins again with a handshake, and goes on with its old numbers."""
    fed.take(notification(release, "handshake", 0))
    fed.take(notification(release, EVENT, 1, [1], ["Task/t1"], [task()]))
    fed.take(notification(release, "handshake", 4))
    found = [(wish["from"], wish["to"], wish["subscription"]) for wish in wishes(fed)]
    assert found == [(2, 4, SUBSCRIPTION)]
    fed.take(notification(release, EVENT, 5, [5], ["Task/t2"], [task("t2")]))
    assert len(fed.letters()) == 1


ERROR = {"status": "entered-in-error"}
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CHARGE = {
    "resourceType": "ChargeItem",
    "id": "ch1",
    **made.meta(),
    "status": "billed",
    "code": made.coded(made.CPT, "99491"),
    "subject": made.to_patient(),
    "performer": [
        {
            "actor": {
                "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": made.OTHER_NPI}
            }
        }
    ],
    "occurrenceDateTime": "2025-03-05",
}
STANDING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (task(), ERROR),
    (call(), ERROR),
    (visit(), ERROR),
    (stay(), ERROR),
    (made.episode(), ERROR),
    (made.episode(status="finished", period={"start": "2025-01-02", "end": "2025-03-01"}), ERROR),
    (made.consent(), ERROR),
    (made.care_plan(), ERROR),
    (made.condition(), {"verificationStatus": made.coded(VERIFIED, "entered-in-error")}),
    (procedure(), ERROR),
    (claim(), ERROR),
    (claim(npi=made.OTHER_NPI), ERROR),
    (claim(npi=made.OTHER_NPI, resourceType="ExplanationOfBenefit"), ERROR),
    (CHARGE, ERROR),
    (patient(deceasedDateTime="2025-03-04"), {"deceasedDateTime": None}),
]


@pytest.mark.parametrize(("resource", "error"), STANDING)
def test_what_was_entered_in_error_is_taken_back_of_every_kind(
    one: Fed, resource: dict[str, Any], error: dict[str, Any]
) -> None:
    taken = one.take(resource)
    assert taken.accepted > 0
    said = [event for event in one.events() if event[0] != "identity.linked.v1"]
    one.take({**resource, **error, **made.meta(2, "2025-03-11T17:00:00Z")})
    back = one.events()[taken.accepted :]
    assert {event[0] for event in back} <= {"time.voided.v1", "event.retracted.v1"}
    assert len(back) == len(said)
    named = {event[2].get("event_id") or event[2]["entry_id"] for event in back}
    assert named == {event[2].get("entry_id") or event[1] for event in said}
    assert one.letters() == []


def policy(code: str) -> dict[str, Any]:
    return {"policyRule": made.coded(made.ACT, code)}


@pytest.mark.parametrize("rule", ["OPTOUT", "OPTOUTE"])
def test_an_opting_out_is_no_consent(rule: str) -> None:
    out = made.consent(provision={"actor": []}, **policy(rule))
    (draft,) = drafts_of(out, made.site())
    assert (draft.type, draft.data) == ("consent.revoked.v1", {"revoked_on": "2025-01-02"})


@pytest.mark.parametrize(("rule", "type"), [("OPTOUT", "permit"), ("OPTIN", "deny")])
def test_a_consent_that_says_yes_and_no_is_for_review(rule: str, type: str) -> None:
    both = made.consent(provision={"type": type}, **policy(rule))
    assert why(both) == "ambiguous@provision"


def test_an_opting_in_is_a_consent() -> None:
    said = drafts_of(made.consent(**policy("OPTIN")), made.site())
    assert [draft.type for draft in said] == ["consent.recorded.v1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"provision": {**made.consent()["provision"], "period": {"end": "2025-06-30"}}},
        {**R5_CONSENT, "period": {"start": "2025-01-02", "end": "2025-06-30"}},
    ],
)
def test_a_consent_that_is_given_for_a_time_ends_with_it(changes: dict[str, Any]) -> None:
    drafts = drafts_of(made.consent(**changes), made.site())
    assert [draft.type for draft in drafts] == ["consent.recorded.v1", "consent.revoked.v1"]
    assert drafts[1].data == {"revoked_on": "2025-06-30"}


def test_a_period_of_an_exception_ends_no_consent() -> None:
    exception = {"period": {"start": "2025-01-01", "end": "2025-02-01"}}
    provision = {**made.consent()["provision"], "provision": [{"type": "deny", **exception}]}
    for given in (made.consent(provision=provision), made.consent(**policy("OPTIN"))):
        said = drafts_of(given, made.site())
        assert [draft.type for draft in said] == ["consent.recorded.v1"]


@pytest.mark.parametrize("release", RELEASES)
def test_a_status_alone_is_a_notification_too(fed: Fed, release: str) -> None:
    """So is the letter of one: put in again, it stays until somebody has looked after it."""
    fed.take(notification(release, EVENT, 1, [1], ["https://evil.example/Task/t1"]))
    (letter,) = fed.letters()
    assert fed.ingest.take([delivery_of(letter)]).dead_lettered == 1
    assert [each.id for each in fed.letters()] == [letter.id]
    status = notification(release, EVENT, 3, [3], ["Task/t3"])["entry"][0]["resource"]
    fed.take(status)
    reasons = [each.reason for each in fed.letters()]
    assert sorted(reasons) == ["feed-gap", "not-fetched", "not-fetched"]
