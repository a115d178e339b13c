"""What a translation made is the same event by the short way and by the decoder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire.decode import decode_document
from services.wire.made import made
from tests.services.wire_examples import NPI, SOURCE, TIME
from tests.thoroughness import examples

STAY = {"kind": "inpatient", "admitted_on": "2025-03-01", "discharged_on": "2025-03-04"}
MADE: dict[str, dict[str, Any]] = {
    "stay.recorded.v1": STAY,
    "visit.recorded.v1": {"on": "2025-03-01", "hcpcs": "G0439", "npi": NPI, "ccm_discussed": True},
    "condition.recorded.v1": {"code": "E11.9", "chronic": True, "onset_on": "2020-01-01"},
    "condition.resolved.v1": {"code": "E11.9", "resolved_on": "2025-01-31"},
    "patient.died.v1": {"died_on": "2025-03-04"},
    "service.billed.v1": {
        "hcpcs": "99496",
        "from": "2025-03-01",
        "through": "2025-03-04",
        "npi": NPI,
    },
    "patient.merged.v1": {"into": "pt2"},
}
ODD: tuple[Any, ...] = (
    *("", "x" * 256, "x" * 257, "x" * 1025, "\x7f", "a\nb", "é", "\ud800", "caretally:clock"),
    *("inpatient", "none", "G0439", "g0439", "E11", "E11.", "É11.9", "9949\n", "1000000005", NPI),
    *("2025-03-01", "2025-3-1", "20250301", "2025-03-01T00:00:00Z", "2025-02-29", "2025-W10-3"),
    *("2009-12-31", "2010-01-01", "2099-12-31", "2100-01-01", "2025-03-05", "0000-00-00", TIME),
    *("2025-03-05T15:21:00.5-05:00", "2025-03-05t15:21:00z", "2100-01-01T00:00:00Z"),
)  # fmt: skip
NO_TEXT = (None, 0, 1, 1.0, 2**70, float("inf"), True, False, [], {}, ["x"], *ODD)


def document(name: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "Visit/1/2",
        "source": SOURCE,
        "type": name,
        "practiceid": "p1",
        "subject": "pt1",
        "time": TIME,
        "data": MADE[name],
    }


MEMBERS = sorted({member for data in MADE.values() for member in data} | {"note"})
TEXTS = ("id", "source", "practiceid", "subject", "time")


@settings(max_examples=examples(1_000), deadline=None)
@given(
    st.sampled_from(sorted(MADE)),
    st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(ODD)), max_size=1),
    st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(NO_TEXT)), max_size=2),
    st.sets(st.sampled_from(MEMBERS), max_size=1),
    st.booleans(),
)
def test_the_short_way_says_what_the_decoder_says_or_nothing(
    name: str,
    attributes: list[tuple[str, str]],
    members: list[tuple[str, Any]],
    gone: set[str],
    history: bool,
) -> None:
    data = {**MADE[name], **dict(members)}
    data = {member: value for member, value in data.items() if member not in gone}
    given = {**document(name), **dict(attributes), "data": data}
    found = made(given, history)
    assert found is None or found == decode_document(given, history)


@pytest.mark.parametrize("name", sorted(MADE))
def test_what_feeds_make_most_takes_the_short_way(name: str) -> None:
    found = made(document(name), False)
    assert (found is None) == (name == "patient.merged.v1")
    assert found in (None, decode_document(document(name)))
