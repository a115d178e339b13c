"""Patient.link `replaces`: the record that holds it stays, the one that it names has ended."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from infra.codec import split_stream_id
from services.translate.mapping.chart import MERGED
from services.translate.outcome import Review
from services.translate.resource import drafts_of
from tests.fhir.linking import link, native, released
from tests.fhir.made import Fed, chart, meta, site, task

THEIRS = {"reference": "Patient/pt2"}
LINK = {"type": "replaces", "other": THEIRS}


def stays(*links: Any, version: int = 2, at: str = "2025-03-10T18:00:00Z") -> dict[str, Any]:
    """The Patient pt1, who says that it replaces others."""
    return {"resourceType": "Patient", "id": "pt1", "link": [*links], **meta(version, at)}


def merges(fed: Fed) -> list[tuple[str, str]]:
    """Who ended in whom, by every merge that was ever said."""
    said = [each for each in fed.store.log(0, 1_000) if each.name == MERGED]
    return [
        (split_stream_id(each.stream_id)[1], json.loads(each.state)["data"]["into"])
        for each in said
    ]


def seconds(fed: Fed) -> dict[str, int]:
    return {a["patient_id"]: a["seconds"]["logged"] for a in fed.answers()}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_record_that_is_replaced_is_carried_over_in_whatever_order_they_come(
    fed: Fed, order: tuple[int, ...]
) -> None:
    said = [[*chart(), task("t1", 12)], [task("t2", 9, **{"for": THEIRS})], [stays(LINK)]]
    for number in order:
        fed.take(*said[number])
    assert (seconds(fed), fed.letters()) == ({"pt1": 21 * 60}, [])
    assert merges(fed) == [("pt2", "pt1")]


def test_a_later_version_without_it_parts_them_again(fed: Fed) -> None:
    fed.take(*chart(), task("t1", 12), task("t2", 9, **{"for": THEIRS}), stays(LINK), stays(LINK))
    fed.take(stays(version=3, at="2025-03-10T19:00:00Z"))
    assert (seconds(fed), fed.letters()) == ({"pt1": 12 * 60, "pt2": 9 * 60}, [])
    fed.take(stays(LINK))  # an older version, late
    assert seconds(fed) == {"pt1": 12 * 60, "pt2": 9 * 60}
    fed.take(stays(LINK, version=4, at="2025-03-10T20:00:00Z"))
    assert seconds(fed) == {"pt1": 21 * 60}


def test_while_one_of_both_records_says_it_they_are_one(fed: Fed) -> None:
    by = {"type": "replaced-by", "other": {"reference": "Patient/pt1"}}
    ended = {
        "resourceType": "Patient",
        "id": "pt2",
        "link": [by],
        **meta(2, "2025-03-10T18:00:00Z"),
    }
    fed.take(*chart(), task("t1", 12), task("t2", 9, **{"for": THEIRS}), stays(LINK), ended)
    assert seconds(fed) == {"pt1": 21 * 60}
    fed.take({**ended, "link": [], **meta(3, "2025-03-10T19:00:00Z")})
    assert seconds(fed) == {"pt1": 21 * 60}
    fed.take(stays(version=3, at="2025-03-10T20:00:00Z"))
    assert (seconds(fed), fed.letters()) == ({"pt1": 12 * 60, "pt2": 9 * 60}, [])


def test_several_records_may_end_in_one(fed: Fed) -> None:
    other = {"type": "replaces", "other": {"reference": "Patient/pt3"}}
    third = task("t3", 3, **{"for": other["other"]})
    fed.take(*chart(), task("t2", 9, **{"for": THEIRS}), third, stays(LINK, other))
    assert seconds(fed) == {"pt1": 12 * 60}
    assert sorted(merges(fed)) == [("pt2", "pt1"), ("pt3", "pt1")]
    fed.take(stays(other, version=3, at="2025-03-10T19:00:00Z"))
    assert (seconds(fed), fed.letters()) == ({"pt1": 3 * 60, "pt2": 9 * 60}, [])


def test_it_waits_until_the_record_that_ended_is_known(linked: Fed) -> None:
    native(linked, link("new", "pt1"))
    linked.take(stays(LINK))
    assert [each.reason for each in linked.letters()] == ["unknown-patient"]
    native(linked, link("old", "pt2", "l2"))
    assert released(linked) == 1
    assert merges(linked) == [("old", "new")]


@pytest.mark.parametrize(
    "other", [{"reference": "https://x.example/Patient/1"}, {"reference": "RelatedPerson/1"}, {}]
)
def test_a_record_of_nobody_here_is_for_review(other: dict[str, str]) -> None:
    with pytest.raises(Review) as review:
        drafts_of(stays({"type": "replaces", "other": other}), site())
    assert review.value.rejection.field == "link.other"


def test_a_record_does_not_replace_itself(fed: Fed) -> None:
    fed.take(stays({"type": "replaces", "other": {"reference": "Patient/pt1"}}))
    assert [each.reason for each in fed.letters()] == ["patient-merged"]
