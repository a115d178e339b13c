"""A packet: whole, the same every time, right in every sum, harmless to open, sound to verify."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from domain import facts as f
from infra.codec import instant_text, link, previous_link
from infra.eventstore import open_store
from services.audit.packet.evidence import Asked, gather
from services.audit.packet.itemised import time_csv, time_rows
from services.audit.packet.page import css_text
from tests.audit.golden import FOLDER, lasting, made, unpacked
from tests.audit.growing import FIRST_US, GrowingLog
from tests.audit.scene import BEGIN_US, CLAIMED_US, MONTH, lived
from tests.given import event, ready, staff
from tests.services.command import Command, command
from tests.strategies import Scene, scenes

__all__ = ["command"]

FORMULA = '=HYPERLINK("http://evil.example","x")'
HOSTILE = "<script>alert(1)</script>\u202e'\";}</style>"


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield lived(store)
    store.close()


def files_of(log: GrowingLog, as_of_us: int | None = None) -> dict[str, bytes]:
    return unpacked(made(log, as_of_us))


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


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


class TestVerification:
    def test_the_manifest_has_the_digest_of_every_file(self, log: GrowingLog) -> None:
        files = files_of(log)
        manifest = json.loads(files.pop("manifest.json"))
        told = {one["name"]: (one["bytes"], one["sha256"]) for one in manifest["files"]}
        assert told == {
            name: (len(content), sha256(content).hexdigest()) for name, content in files.items()
        }

    @pytest.mark.parametrize("as_of_us", [None, CLAIMED_US])
    def test_the_chain_can_be_computed_again_up_to_its_head(
        self, log: GrowingLog, as_of_us: int | None
    ) -> None:
        files = files_of(log, as_of_us)
        chain = json.loads(files["manifest.json"])["chain"]
        lines = [json.loads(line) for line in files["chain.ndjson"].splitlines()]
        before = None
        for number, line in enumerate(lines, 1):
            assert line["version"] == number
            if "state" in line:
                state = line["state"].encode()
                own = link(chain["stream"], number, line["name"], state)
                assert own.hex() == line["link"]
                claimed = previous_link(state)
                assert (claimed and claimed.hex()) == before
            before = line["link"]
        assert (chain["version"], chain["head"]) == (len(lines), before)

    def test_other_months_time_is_proven_and_not_shown(self, log: GrowingLog) -> None:
        """Entry t7 of February is in the chain by its hash alone."""
        files = files_of(log)
        hidden = [line for line in files["chain.ndjson"].splitlines() if b"state" not in line]
        assert len(hidden) == 1
        assert all(b'"t7"' not in content for content in files.values())
        assert b'"t5"' in files["events.ndjson"]

    def test_ticks_of_our_clock_are_in_the_chain_and_not_among_the_events(
        self, log: GrowingLog
    ) -> None:
        """Nobody could replay them: no sender may say them."""
        before = files_of(log)
        tick = log.tick("p1/pt1", MONTH)
        files = files_of(log)
        assert files["events.ndjson"] == before["events.ndjson"]
        last = json.loads(files["chain.ndjson"].splitlines()[-1])
        assert (last.keys(), last["version"]) == ({"version", "link"}, tick)

    def test_events_are_those_of_the_contract(self, log: GrowingLog, command: Command) -> None:
        exported = command("export").out.splitlines()
        events = files_of(log)["events.ndjson"].splitlines()
        assert set(events) < set(exported)
        assert len(events) == len(exported) - 1


class TestTheCommand:
    @pytest.mark.usefixtures("log")
    def test_it_writes_the_packet_and_says_what_the_month_came_to(
        self, command: Command, tmp_path: Path
    ) -> None:
        out = tmp_path / "p.zip"
        done = command("audit", "packet", "pt1", MONTH, "-o", out)
        assert (done.code, done.err) == (0, "")
        assert done.out.decode() == f"{out}: diverged 99490 + 99439 106.42 USD\n"
        whole = unpacked(out.read_bytes())
        assert whole["assessment.json"] == command("assessments", "--month", MONTH).out
        again = tmp_path / "q.zip"
        command("audit", "packet", "pt1", MONTH, "-o", again)
        assert again.read_bytes() == out.read_bytes()
        assert sorted(path.name for path in tmp_path.glob("*p.zip*")) == ["p.zip"]

    @pytest.mark.usefixtures("log")
    @pytest.mark.parametrize(
        ("args", "sentence"),
        [
            (["nobody", MONTH], "patient 'nobody' is not in the store"),
            (["pt1", "2025-3"], "month '2025-3': expected YYYY-MM"),
            (["pt1"], "expected either PATIENT and MONTH, or --claims FILE"),
            (["--claims", "missing.csv"], "missing.csv: No such file"),
            (["pt1", MONTH, "--claims", "x.csv"], "expected either PATIENT and MONTH"),
            (["pt1", MONTH, "--as-of", "2020-01-01T00:00:00Z"], "nothing was known of patient"),
        ],
    )
    def test_what_cannot_be_shown_writes_no_file(
        self, command: Command, tmp_path: Path, args: list[str], sentence: str
    ) -> None:
        done = command("audit", "packet", *args, "-o", tmp_path / "p.zip")
        assert (done.code, done.out) == (2, b"")
        assert sentence in done.err
        assert list(tmp_path.glob("*.zip*")) == []

    def test_a_place_that_cannot_be_written_is_named(
        self, log: GrowingLog, command: Command, tmp_path: Path
    ) -> None:
        del log
        done = command("audit", "packet", "pt1", MONTH, "-o", tmp_path / "no" / "p.zip")
        assert done.code == 2
        assert "--output" in done.err
        assert "No such file" in done.err


class TestAList:
    def batch(self, command: Command, text: str) -> tuple[int, str, dict[str, bytes]]:
        listed = command.folder / "list.csv"
        listed.write_text(text, "utf-8")
        out = command.folder / "all.zip"
        done = command("audit", "packet", "--claims", listed, "-o", out)
        return done.code, done.err, unpacked(out.read_bytes()) if out.exists() else {}

    def test_each_line_has_its_packet_and_the_index_names_it(
        self, log: GrowingLog, command: Command
    ) -> None:
        log.take(
            [replace(e, patient_id="a/../b", practice_id="p 2") for e in ready(MONTH)], BEGIN_US
        )
        text = f"month,patient,practice,note\n{MONTH},pt1,p1,x\n{MONTH},a/../b,,y\n"
        code, err, files = self.batch(command, text)
        assert (code, err) == (0, "")
        assert list(files) == [
            f"00002-p1-pt1-{MONTH}.zip",
            f"00003-p_2-a_.._b-{MONTH}.zip",
            "index.csv",
        ]
        assert files[f"00002-p1-pt1-{MONTH}.zip"] == made(log)
        rows = rows_of(files["index.csv"])
        assert rows[0]["came_to"] == "diverged 99490 + 99439 106.42 USD"
        assert (rows[1]["practice"], rows[1]["patient"]) == ("p 2", "a/../b")

    @pytest.mark.usefixtures("log")
    def test_bad_lines_are_named_and_the_others_made(self, command: Command) -> None:
        text = f"practice,patient,month\np1,pt1,{MONTH}\np1,pt9,{MONTH}\np1,pt1,03/2025\n"
        text += f",pt1,{MONTH}\np1\n"
        code, err, files = self.batch(command, text)
        assert code == 1
        assert [line.partition("list.csv ")[2] for line in err.splitlines()] == [
            "line 3: practice 'p1' has no patient 'pt9'",
            "line 4: month '03/2025': expected YYYY-MM from 2010-01 to 2099-12",
            "line 5: the same patient and month as line 2",
            "line 6: patient: expected an id; found nothing",
        ]
        assert list(files) == [f"00002-p1-pt1-{MONTH}.zip", "index.csv"]
        assert [bool(row["refused"]) for row in rows_of(files["index.csv"])] == [False] + [True] * 4

    @pytest.mark.usefixtures("log")
    def test_a_list_without_its_columns_is_refused(self, command: Command) -> None:
        code, err, files = self.batch(command, "patient,month\npt1,2025-03\n")
        assert (code, files) == (2, {})
        assert "expected columns practice, patient, month; missing practice" in err

    @pytest.mark.usefixtures("log")
    def test_a_bar_shows_the_progress_on_a_terminal(self, command: Command) -> None:
        listed = command.file("list.csv", [b"practice,patient,month", b"p1,pt1,2025-03"])
        seen = command.on_terminal("audit", "packet", "--claims", listed, "-o", listed.parent / "o")
        assert "packets" in seen
        assert "1/1" in seen
