"""Assessments and explanations over HTTP: the bytes of the command line, now and as of then."""

from __future__ import annotations

import json

import pytest

from domain.event import Event
from infra.codec import instant_text
from infra.eventstore.browsing import open_browsing
from projections.browsing import Place, Wanted
from services.explain import explain_json, explain_stored, explain_text
from services.views import assessments as view
from tests.api.asked import MARCH, PT1, Asked
from tests.audit.growing import DAY_US, GrowingLog
from tests.audit.scene import BEGIN_US, CLAIMED_US
from tests.given import event, ready, staff

ALL = "/api/v1/assessments"


def of(patient: str, practice: str, events: list[Event]) -> list[Event]:
    return [event(e.fact, e.time, patient=patient, practice=practice) for e in events]


@pytest.fixture
def several(month: GrowingLog) -> GrowingLog:
    """Beside the lived month patients of two practices, one with a slash in its id."""
    for number, (practice, patient) in enumerate(
        [("p1", "a/b"), ("p2", "x"), ("p10", "y"), ("p1", "zz")]
    ):
        seconds = 1_200 + 600 * number
        said = [*ready("2025-03"), staff("t1", "2025-03-05", seconds)]
        month.take(of(patient, practice, said), month.now_us + DAY_US)
    return month


def bodies(page: bytes) -> list[bytes]:
    """The items of a page as the bytes they came in."""
    items, _, _ = page.removeprefix(b'{"items":[').rpartition(b'],"next":')
    first = b'{"practice_id"'
    return [first + one.removesuffix(b",") for one in items.split(first)[1:]]


def test_each_item_has_the_bytes_that_the_command_prints(several: GrowingLog, api: Asked) -> None:
    printed = list(several.store.assessments())
    assert bodies(api.get(ALL).content) == printed
    assert api.get(MARCH).content == printed[2]
    assert json.loads(printed[2])["patient_id"] == "pt1"


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
@pytest.mark.parametrize("asked", [{}, {"all_months": "true"}, {"as_of": "2025-05-01T00:00:00Z"}])
def test_pages_joined_are_the_whole_in_order(api: Asked, limit: int, asked: dict[str, str]) -> None:
    whole = api.json(ALL, **asked)["items"]
    places = [(one["practice_id"], one["patient_id"], one["month"]) for one in whole]
    assert places == sorted(places)
    assert len(places) > 4
    assert api.items(ALL, limit=limit, **asked) == whole


@pytest.mark.usefixtures("several")
def test_each_filter_leaves_what_fits_it(api: Asked) -> None:
    whole = api.json(ALL)["items"]
    for name, value, fits in [
        ("practice", "p1", lambda a: a["practice_id"] == "p1"),
        ("patient", "a/b", lambda a: a["patient_id"] == "a/b"),
        ("month", "2025-03", lambda a: a["month"] == "2025-03"),
        ("status", "billable", lambda a: a["status"] == "billable"),
        ("code", "99439", lambda a: "99439" in [c["code"] for c in a["codes"]]),
        ("family", "non-complex", lambda a: a["family"] == "non-complex"),
    ]:
        kept = [one for one in whole if fits(one)]
        assert 0 < len(kept) < len(whole)
        assert api.items(ALL, limit=1, **{name: value}) == kept
    assert api.items(ALL, blocker="no-consent") == []


@pytest.mark.usefixtures("several")
def test_work_for_a_page_has_a_limit_and_nothing_is_left_out(
    api: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was given up early is empty, and says where the next one goes on."""
    monkeypatch.setattr(view, "ROWS_MAX", 2)
    monkeypatch.setattr(view, "PATIENTS_MAX", 1)
    for asked in ({}, {"as_of": "2026-01-01T00:00:00Z"}):
        pages = list(api.pages(ALL, limit=1, patient="y", code="99439", **asked))
        found = [one for page in pages for one in page.json()["items"]]
        assert [one["practice_id"] for one in found] == ["p10"]


def test_an_earlier_instant_gives_what_was_shown_then(month: GrowingLog, api: Asked) -> None:
    for at in (BEGIN_US, CLAIMED_US, CLAIMED_US + 1):
        shown = [json.loads(row) for row in month.shown_at(at)]
        text = instant_text(at)
        assert api.items(ALL, as_of=text) == [{**row, "as_of": text} for row in shown]
    text = instant_text(CLAIMED_US)
    assert api.json(MARCH, as_of=text)["status"] == "claimed"
    assert api.get(MARCH, as_of=instant_text(BEGIN_US - 1)).status_code == 404


def test_a_patients_months_are_those_in_the_programme_too(api: Asked) -> None:
    found = api.items(f"{PT1}/months", limit=1)
    assert [one["month"] for one in found] == ["2025-01", "2025-02", "2025-03", "2025-04"]
    assert api.get(f"{PT1}x/months").status_code == 404
    quiet = api.json(f"{PT1}/months/2025-01")
    assert (quiet["status"], quiet["seconds"]["logged"]) == ("accruing", 0)


@pytest.mark.usefixtures("several")
def test_an_id_with_a_slash_is_one_part_of_the_address(api: Asked) -> None:
    found = api.json("/api/v1/practices/p1/patients/a%2Fb/months/2025-03")
    assert found["patient_id"] == "a/b"
    assert api.get("/api/v1/practices/p1/patients/a/b/months/2025-03").status_code == 404


def test_an_explanation_is_the_one_of_the_command_in_json_and_text(
    month: GrowingLog, api: Asked
) -> None:
    parts = month.parts
    asked = (parts.store, parts.book, parts.settings.policy_of, "p1", "pt1", "2025-03", CLAIMED_US)
    expected = explain_stored(*asked)
    at = instant_text(CLAIMED_US)
    answer = api.get(f"{MARCH}/explanation", as_of=at)
    assert answer.content == explain_json(expected)
    text = api.get(f"{MARCH}/explanation", {"accept": "text/plain"}, as_of=at)
    assert text.text == explain_text(expected, color=False)
    assert text.headers["etag"] != answer.headers["etag"]
    assert text.headers["vary"] == answer.headers["vary"] == "accept"


@pytest.mark.usefixtures("several")
def test_pages_by_key_agree_with_the_store(month: GrowingLog) -> None:
    browsing = open_browsing(month.store)
    assert browsing.practices() == ["p1", "p10", "p2"]
    assert browsing.patients("p1", "", 10) == ["a/b", "pt1", "zz"]
    assert browsing.patients("p1", "a/b", 1) == ["pt1"]
    whole = browsing.assessments(Wanted(), None, 100)
    assert [body for _, body in whole] == list(month.store.assessments())
    after = Place("p1", "pt1", "2025-02")
    assert browsing.assessments(Wanted(), after, 1) == [whole[2]]
    assert browsing.assessments(Wanted(frozenset()), None, 100) == []
