"""A packet: whole, the same every time, right in every sum, harmless to open."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings

from domain import facts as f
from infra.codec import instant_text
from infra.eventstore import open_store
from services.audit.packet.evidence import Asked, gather
from services.audit.packet.itemised import time_csv, time_rows
from services.audit.packet.page import css_text
from tests.audit.golden import FOLDER, lasting, made, unpacked
from tests.audit.growing import FIRST_US, GrowingLog
from tests.audit.packets import files_of, log, rows_of
from tests.audit.scene import BEGIN_US, CLAIMED_US, MONTH, lived
from tests.given import event, ready, staff
from tests.services.command import command
from tests.strategies import Scene, scenes

__all__ = ["command", "log"]

FORMULA = '=HYPERLINK("http://evil.example","x")'
HOSTILE = "<script>alert(1)</script>\u202e'\";}</style>"


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_the_packet_of_the_scene_says_what_it_said(log: GrowingLog, name: str) -> None:
    assert lasting(files_of(log))[name] == (FOLDER / name).read_bytes()


def test_equal_events_give_equal_bytes_on_every_store(log: GrowingLog) -> None:
    other = lived(open_store("memory:"))
    assert made(log) == made(other)
    assert made(log, CLAIMED_US) == made(other, CLAIMED_US)
    assert list(files_of(log)) == [
        "evidence.html",
        "time.csv",
        "assessment.json",
        "explanation.json",
        "events.ndjson",
        "chain.ndjson",
        "manifest.json",
    ]


def test_a_packet_as_of_an_instant_is_not_moved_by_what_came_later(log: GrowingLog) -> None:
    before = made(log, CLAIMED_US)
    log.take([staff("t99", "2025-03-21", 3_000)], BEGIN_US + 10**13)
    assert made(log, CLAIMED_US) == before
    answer = json.loads(unpacked(before)["assessment.json"])
    assert (answer["status"], answer["as_of"]) == ("claimed", instant_text(CLAIMED_US))


class TestSums:
    def sums(self, log: GrowingLog) -> None:
        for as_of_us in (None, CLAIMED_US):
            files = files_of(log, as_of_us)
            seconds = json.loads(files["assessment.json"])["seconds"]
            rows = rows_of(files["time.csv"])
            assert sum(int(r["logged_seconds"]) for r in rows) == seconds["logged"]
            assert sum(int(r["excluded_seconds"]) for r in rows) == seconds["excluded"]

    def test_the_itemised_seconds_are_those_of_the_assessment(self, log: GrowingLog) -> None:
        self.sums(log)
        states = {row["entry_id"]: row["state"] for row in rows_of(files_of(log)["time.csv"])}
        assert states == {
            "t1": "standing",
            "t2": "retracted",
            "t3": "standing",
            "t4": "standing",
            "t5": "voided",
            "t6": "standing",
        }

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(scenes())
    def test_in_any_month_of_any_patient(self, scene: Scene) -> None:
        log = GrowingLog(open_store("memory:"), scene.policy)
        log.take(scene.events, FIRST_US)
        for month in scene.months:
            asked = Asked("p1", "pt1", month)
            evidence = gather(log.parts, log.parts.settings.policy_of, asked)
            rows, seconds = time_rows(evidence), evidence.answer.seconds
            assert sum(row.logged_seconds for row in rows) == seconds.logged
            assert sum(row.excluded_seconds for row in rows) == seconds.excluded
            counted = seconds.logged - seconds.excluded
            assert sum(row.counted_seconds for row in rows) == counted
            assert len(rows_of(time_csv(rows))) == len(rows)


class Opened(HTMLParser):
    """What a browser would fetch or run, and whether every element is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.stack: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


class TestThePage:
    def assert_harmless(self, page: str) -> None:
        opened = Opened(page)
        assert opened.stack == []
        assert not opened.tags & {"script", "link", "img", "iframe", "object", "a", "base", "form"}
        assert not opened.attributes & {"src", "href", "srcset", "action", "data"}
        assert not [name for name in opened.attributes if name.startswith("on")]
        style = page[page.index("<style>") : page.index("</style>")]
        assert not re.search(r"url\(|@import|//", style)
        assert "default-src 'none'" in page

    def test_it_fetches_and_runs_nothing(self, log: GrowingLog) -> None:
        self.assert_harmless(files_of(log)["evidence.html"].decode())

    def test_nor_does_what_a_hostile_sender_wrote(self) -> None:
        log = GrowingLog(open_store("memory:"))
        staffed = f.TimeLogged(
            FORMULA,
            f.Performer(HOSTILE, f.Role.CLINICAL_STAFF),
            HOSTILE,
            f.Unclocked(ready(MONTH)[0].fact.effective_on.replace(month=3), 1_300),  # type: ignore
        )
        entry = event(staffed, "2025-03-05T17:00:00Z")
        theirs = [replace(e, patient_id=HOSTILE) for e in [*ready(MONTH), entry]]
        log.take(theirs, BEGIN_US)
        files = unpacked(made(log, patient=HOSTILE))
        page = files["evidence.html"].decode()
        self.assert_harmless(page)
        assert "<script" not in page
        assert "\u202e" not in page
        (row,) = rows_of(files["time.csv"])
        assert row["entry_id"] == "'" + FORMULA
        assert row["performer"] == HOSTILE

    def test_it_has_every_part_in_the_reviewers_order(self, log: GrowingLog) -> None:
        page = files_of(log)["evidence.html"].decode()
        titles = re.findall(r"<h2>\d+\. ([^<]+)</h2>", page)
        assert titles == [
            "Summary",
            "Eligibility",
            "Itemised time",
            "Thresholds",
            "Options and the one chosen",
            "Conflicts checked",
            "Rules and fees",
            "Corrections",
            "The events behind this page",
        ]
        for told in (
            "typed 25 for 14 minutes",
            "wrong patient",
            "entered in error",
            "doc-77",
            "verbal consent on 2025-01-06",
            "152.35 USD; 45.93 USD more than the record supports",
            "99495 on 2025-03-20 by another practitioner",
            "inpatient stay from 2025-03-17 to 2025-03-18",
            "90951 to 90970",
        ):
            assert told in page, told

    def test_a_missing_amount_is_told_with_its_reason(self) -> None:
        log = GrowingLog(open_store("memory:"))
        facts = [*ready(MONTH), staff("t1", "2025-03-05", 1_260)]
        enrolment = facts[0].fact
        assert isinstance(enrolment, f.PatientEnrolled)
        placed = replace(enrolment, locality="99999-99")
        log.take([event(placed, facts[0].time), *facts[1:]], BEGIN_US)
        page = unpacked(made(log))["evidence.html"].decode()
        assert "amount not known: 99490: the cost indices of locality 99999-99 on" in page

    def test_text_in_a_style_cannot_leave_its_quotes(self) -> None:
        assert (
            css_text('a"} </style>\n')
            == "a\\000022\\00007d\\000020\\00003c\\00002fstyle\\00003e\\00000a"
        )
