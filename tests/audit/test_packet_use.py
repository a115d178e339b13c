"""A packet in use: sound to verify, written by the command, for one month or a list of them."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from infra.codec import link, previous_link
from tests.audit.golden import made, unpacked
from tests.audit.growing import GrowingLog
from tests.audit.packets import files_of, log, rows_of
from tests.audit.scene import BEGIN_US, CLAIMED_US, MONTH
from tests.given import ready
from tests.services.command import Command, command

__all__ = ["command", "log"]

FORMULA = '=HYPERLINK("http://evil.example","x")'


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
