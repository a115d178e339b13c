"""The doctor finds what is wrong with an installation, says what to do, and changes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest

from infra.eventstore import inspection
from infra.kafka.topics import COMPACTED, create_topic
from projections.ports import Batch, Store
from services.doctor import Examination, Finding
from services.ingest import Delivery
from tests.kafka import kafka
from tests.postgres import postgres_server, postgres_url
from tests.services.door_store import NOW_US, ingest_over, opened
from tests.services.serving import clean
from tests.services.test_ingest import chart, logged

__all__ = ["kafka", "postgres_server", "postgres_url"]

HEADERS = (("content-type", b"application/cloudevents+json"),)
CASES = pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])


def filled(store: Store) -> None:
    """Three patients of eleven events each, one after the other event by event."""
    ingest = ingest_over(store)
    told = [[*chart(p), *(logged(f"t{n}", 300, p) for n in range(5))] for p in ("a", "b", "c")]
    for together in zip(*told, strict=True):
        ingest.take([Delivery(value, None, HEADERS, "test") for value in together])


@pytest.fixture
def database(tmp_path: Path) -> str:
    """An SQLite database with events in it."""
    store = opened(tmp_path)
    filled(store)
    store.close()
    return f"sqlite:///{tmp_path / 'log.db'}"


def examined(environment: dict[str, str], *options: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code of a real process, and its findings by check (the last of each name)."""
    run = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "doctor", "--json", *options],
        env=clean(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.stderr == ""
    document: dict[str, Any] = json.loads(run.stdout)
    assert document["ok"] == (run.returncode == 0)
    for found in document["checks"]:
        assert bool(found["advice"]) == (found["state"] != "ok")
    return run.returncode, {found["check"]: found for found in document["checks"]}


def states(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: finding["state"] for name, finding in found.items()}


def changed(database: str, *statements: str) -> None:
    with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0
    connection.close()


# --- a sound installation ---------------------------------------------------------------------


@CASES
def test_a_sound_installation_is_well(database: str, quick: bool) -> None:
    code, found = examined({"CARETALLY_DATABASE": database}, *(["--quick"] if quick else []))
    assert code == 0
    checks = "settings access zones fees database disk write clock log kafka"
    assert states(found) == dict.fromkeys(checks.split(), "ok")
    assert "33 events of 3 patients" in found["log"]["finding"]


def test_it_leaves_the_database_as_it_was(database: str) -> None:
    def dump() -> list[str]:
        with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
            return list(connection.iterdump())

    before = dump()
    examined({"CARETALLY_DATABASE": database})
    assert dump() == before


def test_a_database_that_is_not_there_yet_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    code, found = examined({"CARETALLY_DATABASE": f"sqlite:///{tmp_path / 'new.db'}"})
    assert (code, found["database"]["state"]) == (0, "warn")
    assert not list(tmp_path.iterdir())


def test_for_people_each_check_is_a_line_with_its_advice_below(database: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "doctor"],
        env=clean({"CARETALLY_DATABASE": database, "CARETALLY_DATABAES": "x"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = run.stdout.splitlines()
    assert lines[0].startswith("warn  settings: CARETALLY_DATABAES is set but is not a setting")
    assert lines[1] == "      → correct or remove the variable"
    assert "ok    database: opens, schema version" in run.stdout


# --- the log ----------------------------------------------------------------------------------

CHANGE = "CAST(replace(CAST(state AS TEXT), '{}', '{}') AS BLOB)"
DAMAGE = {
    "a changed second": f"UPDATE stored_events SET state = {CHANGE.format(':300', ':301')}"
    " WHERE originator_version = 8",
    "a changed sender": f"UPDATE stored_events SET state = {CHANGE.format('/ehr', '/eht')}"
    " WHERE originator_version = 2",
    "text in place of bytes": "UPDATE stored_events SET state = 'x' WHERE originator_version = 3",
    "another version": "UPDATE stored_events SET originator_version = 99"
    " WHERE originator_version = 11",
    "a lost end": "DELETE FROM stored_events WHERE originator_version = 11",
    "a lost patient": "DELETE FROM stored_events WHERE originator_id LIKE '%b'",
    "a lost event": "DELETE FROM stored_events WHERE originator_version = 5",
    "an unreadable event": "UPDATE stored_events SET state = x'00' WHERE originator_version = 11",
    "an unknown type": "UPDATE stored_events SET topic = 'guess.v1' WHERE originator_version = 11",
}


@CASES
@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
def test_a_log_that_is_not_what_was_written_fails(
    database: str, statement: str, quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(database, statement)
    found = in_process(monkeypatch, database, quick=quick)
    assert found["log"].state == "fail"
    assert "restore the last backup" in found["log"].advice


def test_a_damaged_log_ends_the_command_with_1_and_names_the_place_not_the_patient(
    database: str,
) -> None:
    changed(database, DAMAGE["a changed second"])
    code, found = examined({"CARETALLY_DATABASE": database})
    assert code == 1
    assert found["log"]["finding"].startswith("the event at position 25 (version 9 ")
    assert "p1" not in found["log"]["finding"]


def test_a_lost_key_is_found_by_the_whole_examination(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what it stands for could come in once more, for another patient."""
    changed(database, "DELETE FROM new_keys WHERE position = 20")
    found = in_process(monkeypatch, database, quick=False)["log"]
    assert found.state == "fail"
    assert found.finding == "events not known by their source and id: 1; keys of no event: 0"


def in_process(
    monkeypatch: pytest.MonkeyPatch, database: str, now_us: int = NOW_US, quick: bool = True
) -> dict[str, Finding]:
    """The findings by name, at a time of the test's own choice."""
    monkeypatch.setenv("CARETALLY_DATABASE", database)
    monkeypatch.delenv("CARETALLY_KAFKA", raising=False)
    examination = Examination(lambda: now_us, lambda *_: nullcontext(lambda _: None), quick)
    return {finding.check: finding for finding in examination.findings()}


# --- clock ------------------------------------------------------------------------------------


def test_a_clock_behind_the_newest_event_is_seen(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = NOW_US + 10  # one microsecond later each batch
    for behind_seconds, state in ((0, "ok"), (1, "ok"), (30, "warn"), (61, "fail")):
        found = in_process(monkeypatch, database, recorded - behind_seconds * 1_000_000)
        assert found["clock"].state == state
    assert "61 s before the newest event" in found["clock"].finding
    assert in_process(monkeypatch, database, 0)["clock"].state == "fail"


@pytest.mark.postgres
def test_a_clock_apart_from_the_database_servers_is_seen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.eventstore import open_store

    open_store(postgres_url).close()
    server = inspection.server_clock_us(postgres_url)
    assert server is not None
    for apart_seconds, state in ((0, "ok"), (20, "warn"), (-20, "warn"), (3600, "fail")):
        found = in_process(monkeypatch, postgres_url, server + apart_seconds * 1_000_000)
        assert found["clock"].state == state, found["clock"]


# --- the database -----------------------------------------------------------------------------


def test_a_newer_schema_fails_and_an_older_one_is_left_for_the_next_start(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = inspection.schema_known(database)
    changed(database, f"INSERT INTO schema_version VALUES ({known + 1})")
    newer = in_process(monkeypatch, database)
    assert newer["database"].state == "fail"
    assert "run the newer release" in newer["database"].advice
    assert "log" not in newer
    changed(database, f"DELETE FROM schema_version WHERE version >= {known}")
    assert in_process(monkeypatch, database)["database"].state == "warn"
    assert inspection.schema_found(database) == known - 1


def test_a_file_that_is_no_database_and_a_folder_that_is_missing_fail(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database " * 1000)
    code, found = examined({"CARETALLY_DATABASE": f"sqlite:///{tmp_path / 'notes.txt'}"})
    assert (code, found["database"]["state"]) == (1, "fail")
    code, found = examined({"CARETALLY_DATABASE": f"sqlite:///{tmp_path / 'none' / 'x.db'}"})
    assert (code, found["database"]["state"]) == (1, "fail")


def test_a_full_disk_is_seen_before_it_hurts(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    for free_mib, state in ((5000, "ok"), (900, "warn"), (99, "fail")):
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _, free=free_mib: usage._replace(free=free * 1024 * 1024)
        )
        assert in_process(monkeypatch, database)["disk"].state == state


@pytest.mark.postgres
def test_postgresql_is_examined_by_the_same_checks(postgres_url: str) -> None:
    code, found = examined({"CARETALLY_DATABASE": postgres_url})
    assert (code, found["database"]["state"]) == (0, "warn")
    from infra.eventstore import open_store

    store = open_store(postgres_url)
    filled(store)
    store.close()
    code, found = examined({"CARETALLY_DATABASE": postgres_url})
    assert code == 0
    assert states(found)["write"] == states(found)["log"] == "ok"
    with psycopg.connect(postgres_url) as connection:
        connection.execute(DAMAGE["a lost end"])
    code, found = examined({"CARETALLY_DATABASE": postgres_url})
    assert (code, found["log"]["state"]) == (1, "fail")


def test_a_wrong_password_or_a_server_that_is_down_is_told_without_the_password() -> None:
    url = "postgresql://someone:sesame-open@127.0.0.1:1/care"
    code, found = examined({"CARETALLY_DATABASE": url})
    assert (code, found["database"]["state"]) == (1, "fail")
    assert "sesame" not in json.dumps(found)


# --- settings and Kafka -----------------------------------------------------------------------


def test_settings_that_cannot_be_used_fail_and_end_the_examination() -> None:
    code, found = examined({"CARETALLY_HTTP": "0.0.0.0:8080"})
    assert (code, list(found)) == (1, ["settings"])
    assert "set http_token" in found["settings"]["finding"]


def test_kafka_that_does_not_answer_fails(database: str) -> None:
    code, found = examined({"CARETALLY_DATABASE": database, "CARETALLY_KAFKA": "127.0.0.1:1"})
    assert (code, found["kafka"]["state"]) == (1, "fail")


@pytest.mark.kafka
def test_missing_topics_too_few_partitions_and_another_log_are_seen(
    kafka: str, database: str, tmp_path: Path
) -> None:
    id = uuid.uuid4().hex
    events, alerts, states, months = (f"doctor-{n}-{id}" for n in ("in", "out", "states", "months"))
    environment = {
        "CARETALLY_DATABASE": database,
        "CARETALLY_KAFKA": kafka,
        "CARETALLY_KAFKA_EVENTS_TOPIC": events,
        "CARETALLY_KAFKA_ALERTS_TOPIC": alerts,
        "CARETALLY_KAFKA_ALERT_STATE_TOPIC": states,
        "CARETALLY_KAFKA_ASSESSMENTS_TOPIC": months,
        "CARETALLY_KAFKA_EVENTS_PARTITIONS": "2",
        "CARETALLY_KAFKA_ALERTS_PARTITIONS": "1",
    }
    code, found = examined(environment)
    assert code == 1
    assert found[f"topic {events}"]["state"] == found[f"topic {alerts}"]["state"] == "fail"
    assert "--create-topics" in found[f"topic {events}"]["advice"]
    create_topic(kafka, events, 1)
    create_topic(kafka, alerts, 1)
    create_topic(kafka, states, 1)
    create_topic(kafka, months, 1, COMPACTED)
    code, found = examined(environment)
    assert code == 0
    assert found[f"topic {events}"]["state"] == "warn"
    assert found[f"topic {alerts}"]["state"] == found["positions"]["state"] == "ok"
    assert found[f"compaction of {states}"]["finding"] == "cleanup.policy is delete"
    assert found[f"compaction of {months}"]["state"] == "ok"
    store = opened(tmp_path)
    store.commit(Batch(tracking={f"{events}/0": 500}))
    store.close()
    code, found = examined(environment)
    assert (code, found["positions"]["state"]) == (1, "fail")
    assert f"{events}/0" in found["positions"]["finding"]
