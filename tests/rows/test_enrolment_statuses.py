"""Numbers that stand for a status: only those that the mapping lists mean anything."""

from __future__ import annotations

import pytest

from infra.eventstore import open_store
from tests.rows.made import Kept, mapping, rows

MEMBERS = {
    "effective_on": {"column": "Date", "date": "%m/%d/%Y"},
    "timezone": {"value": "America/New_York"},
    "billing_practitioner.npi": {"value": "1000000004"},
    "billing_practitioner.credential": {"value": "MD"},
    "provider_kind": {"column": "status", "values": {"2": "practitioner"}},
}
ENROLMENT = mapping(rows(only={}, events=[{"type": "patient.enrolled.v1", "members": MEMBERS}]))


@pytest.mark.parametrize(("status", "events"), [("2", 1), ("3", 0), ("02", 0), ("Declined", 0)])
def test_a_status_that_the_mapping_does_not_list_is_for_review(status: str, events: int) -> None:
    kept = Kept(open_store("memory:"), ENROLMENT)
    kept.row(status=status)
    assert [name for name, *_ in kept.events()] == ["patient.enrolled.v1"] * events
    letters = [(each.reason, each.field) for each in kept.letters()]
    assert letters == [] if events else letters == [("unmapped-code", "status")]
