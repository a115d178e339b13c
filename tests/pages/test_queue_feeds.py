"""Letters of every feed, corrected on the page: marked where they are wrong, taken as from their
own door, the original as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from infra.eventstore import open_store
from services.access import Role
from services.ingest import Delivery
from services.rows.marks import of_changes, of_sheet
from services.sheets.row import SheetRow, to_bytes
from services.translate.marks import marked
from tests.audit.growing import GrowingLog
from tests.fhir import made as fhir
from tests.given import ready
from tests.pages.asked import Pages, person
from tests.pages.closing import BEGIN_US, of
from tests.pages.queueing import PAGE, entry, seconds
from tests.rows.made import ROW, mapping
from tests.services.command import Command, command

__all__ = ["command"]

OF_SHEET, OF_CHANGES = of_sheet("timer", "march.csv"), of_changes("timer")
BINARY = {name: value for name, value in entry("q9").items() if name != "data"}
HEADERS = (*((f"ce_{name}", value.encode()) for name, value in BINARY.items()),)


def task(owner: str) -> dict[str, Any]:
    found = fhir.task(owner={"reference": f"Practitioner/{owner}"})
    return {**found, "for": {"reference": "Patient/ready"}}


def bundle(*resources: Any) -> bytes:
    entries = [{"resource": each} for each in resources]
    return fhir.raw({"resourceType": "Bundle", "type": "collection", "entry": entries})


def row(**cells: str) -> bytes:
    return to_bytes(SheetRow(3, {**ROW, "MRN": "ready", **cells}))


CASES: dict[str, tuple[bytes, Any, str, str, int]] = {
    "a resource of a bundle": (
        bundle(task("gone")),
        marked("river"),
        "Practitioner/gone",
        "Practitioner/rn1",
        1_200,
    ),
    "a spreadsheet's row": (row(Staff="Bea"), OF_SHEET, "Bea", "Ann", 600),
    "an event in binary mode": (
        json.dumps(entry("q9", activity=7)["data"]).encode(),
        HEADERS,
        "7,",
        '"phone_call",',
        1_200,
    ),
    "an event whose header is wrong": (
        json.dumps(entry("q9")["data"]).encode(),
        tuple((n, b"noon" if n == "ce_time" else v) for n, v in HEADERS),
        "noon",
        "2025-03-10T15:00:00Z",
        1_200,
    ),
}


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    log = GrowingLog(store)
    log.take(of("ready", ready("2025-03")), BEGIN_US)
    sites, mappings = {"river": fhir.site()}, {"timer": mapping()}
    log.parts = replace(log.parts, sites=sites, mappings=mappings)
    yield log
    store.close()


@pytest.mark.parametrize("case", CASES)
async def test_what_is_wrong_is_marked_and_its_correction_counts(
    log: GrowingLog, case: str
) -> None:
    value, headers, wrong, right, counted = CASES[case]
    taken = log.parts.ingest().take([Delivery(value, None, headers, "door")])
    assert taken.dead_lettered == 1
    (before,) = log.store.dead_letters()
    pages = Pages(log.parts, person(Role.INTEGRATOR, "p1"))
    page = (await pages.get(f"{PAGE}/letters/1")).text
    assert wrong.strip(",") in unescape("".join(re.findall("<mark>(.*?)</mark>", page)))
    area = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert area is not None
    text = unescape(area[1]).replace(wrong, right)
    form = {"text": text.replace("\n", "\r\n"), "reason": "from the record"}
    answer = await pages.post(f"{PAGE}/letters/1/correct", data=form)
    assert answer.headers["location"].endswith("done=corrected"), answer.text
    assert seconds(log.parts) == counted
    (after,) = log.store.dead_letters()
    assert after == replace(before, replayed_at_us=after.replayed_at_us)


async def test_the_rest_of_a_bundle_was_taken_at_once_and_is_not_taken_again(
    log: GrowingLog,
) -> None:
    good = {**task("rn1"), "id": "t2"}
    taken = log.parts.ingest().take(
        [Delivery(bundle(good, task("gone")), None, marked("river"), "door")]
    )
    assert (taken.accepted, taken.dead_lettered) == (1, 1)
    assert seconds(log.parts) == 1_200
    pages = Pages(log.parts, person(Role.INTEGRATOR, "p1"))
    form = {"text": json.dumps(task("rn2")), "reason": "from the record"}
    await pages.post(f"{PAGE}/letters/1/correct", data=form)
    assert seconds(log.parts) == 2_400


async def test_replayed_after_the_profile_knows_the_person_it_is_taken_as_it_came(
    log: GrowingLog,
) -> None:
    log.parts.ingest().take([Delivery(fhir.raw(task("rn3")), None, marked("river"), "door")])
    pages = Pages(log.parts, person(Role.INTEGRATOR, "p1"))
    answer = await pages.post(f"{PAGE}/letters/1/replay", data={"reason": "is it known by now?"})
    assert answer.status_code == 422
    staff = [{"id": "rn3", "role": "clinical_staff", "references": ["Practitioner/rn3"]}]
    parts = replace(log.parts, sites={"river": fhir.site(staff=staff)})
    pages = Pages(parts, person(Role.INTEGRATOR, "p1"))
    answer = await pages.post(f"{PAGE}/letters/1/replay", data={"reason": "added to the profile"})
    assert answer.headers["location"].endswith("done=replayed")
    assert seconds(parts) == 1_200


async def test_a_change_of_a_database_is_shown_as_it_came(log: GrowingLog) -> None:
    log.parts.ingest().take([Delivery(b'{"before": null}', None, OF_CHANGES, "door")])
    pages = Pages(log.parts, person(Role.INTEGRATOR, "p1"))
    page = (await pages.get(f"{PAGE}/letters/1")).text
    assert "a row of a table" in page
    assert "&#34;before&#34;: null" in page
