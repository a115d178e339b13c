"""Every read of a patient is a fact that was written before anything was shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from infra.eventstore import open_store
from infra.eventstore.transparency import open_transaction
from infra.settings import Settings
from projections.ports import Store
from services.access import Principal, Role
from services.audit.access import system_user
from services.bootstrap import composed
from services.serve.reads import Reads
from tests.audit.test_tamper_evidence import Vandal, filled
from tests.services.command import Command, command, store

__all__ = ["command", "store"]

WHOLE = {"actor", "at", "door", "number", "reason", "user", "wanted", "what"}


@pytest.fixture
def clinic(command: Command, store: Store) -> Command:
    filled(store)
    return command


def reads(clinic: Command, *args: object) -> list[dict[str, Any]]:
    """What the log held before it was asked."""
    return clinic("audit", "access", "list", "--json", *args).lines()[:-1]


@pytest.mark.parametrize(
    ("args", "what", "wanted"),
    [
        (["explain", "pt1", "2025-03"], "explain", {"patient": "pt1", "month": "2025-03"}),
        (["assessments", "--patient", "pt1"], "assessments", {"patient": "pt1"}),
        (["assessments"], "assessments", {}),
        (
            ["assessments", "--practice", "p1", "--status", "blocked"],
            "assessments",
            {"practice": "p1", "status": "blocked"},
        ),
        (["alerts", "--patient", "pt2"], "alerts", {"patient": "pt2"}),
        (["export", "--patient", "pt2"], "export", {"patient": "pt2"}),
        (["audit", "claims", "--practice", "p1"], "audit claims", {"practice": "p1"}),
        (
            [
                "audit",
                "diff",
                "pt1",
                "2025-03",
                "--from",
                "2025-03-01T00:00:00Z",
                "--to",
                "2025-04-01T00:00:00Z",
            ],
            "audit diff",
            {"patient": "pt1", "month": "2025-03", "to": "2025-04-01T00:00:00Z"},
        ),
        (
            ["audit", "packet", "pt1", "2025-03", "-o", "/dev/null/no"],
            "audit packet",
            {"patient": "pt1", "month": "2025-03"},
        ),
        (["dead-letters", "show", "7"], "dead-letters show", {"dead_letter": "7"}),
    ],
)
def test_a_read_is_written_down_with_its_filter(
    clinic: Command, args: Sequence[str], what: str, wanted: dict[str, str]
) -> None:
    """Also one that finds nothing or fails later."""
    clinic(*args)
    (one,) = reads(clinic)
    assert set(one) == WHOLE
    assert (one["number"], one["door"], one["what"]) == (1, "command", what)
    assert one["wanted"] == wanted
    assert one["actor"] == one["user"] == system_user()
    assert one["reason"] == ""


def test_who_and_why_come_from_options_and_settings(clinic: Command) -> None:
    """The system's user stands beside whoever is named; the environment cannot change that."""
    said = {"LOGNAME": "somebody", "USER": "somebody", "CARETALLY_ACTOR": "billing desk"}
    clinic("explain", "pt1", "2025-03", "--reason", "TPE probe 17", **said)
    clinic("explain", "pt1", "2025-03", "--actor", "j.doe", **said)
    first, second = reads(clinic)
    assert (first["actor"], first["reason"]) == ("billing desk", "TPE probe 17")
    assert second["actor"] == "j.doe"
    assert {first["user"], second["user"]} == {system_user()}


def test_a_list_of_claims_is_a_read_of_each_of_its_patients(
    clinic: Command, tmp_path: Path
) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("practice,patient,month\np1,pt1,2025-03\np1,pt2,2025-03\n")
    clinic("audit", "packet", "--claims", claims, "-o", tmp_path / "all.zip")
    assert [one["wanted"]["patient"] for one in reads(clinic)] == ["pt1", "pt2"]


def test_what_cannot_be_written_down_is_not_shown(clinic: Command, store: Store) -> None:
    """Fail closed: a command gives nothing and ends with 1."""
    Vandal(store)("ALTER TABLE accesses RENAME TO elsewhere")
    for args in (
        ["explain", "pt1", "2025-03"],
        ["assessments"],
        ["alerts"],
        ["export"],
        ["audit", "claims"],
        ["audit", "access", "list"],
        ["dead-letters", "show", "1"],
    ):
        ran = clinic(*args)
        assert (ran.code, ran.out) == (1, b"")
        assert "the access log cannot be written, so nothing is shown" in ran.err


def test_reads_of_a_panel_count_for_each_of_its_patients(clinic: Command) -> None:
    clinic("explain", "pt1", "2025-03", "--practice", "p1")
    clinic("explain", "pt2", "2025-03", "--practice", "p1")
    clinic("assessments", "--practice", "p1")
    clinic("assessments", "--practice", "p2")
    found = reads(clinic, "--patient", "pt1", "--practice", "p1")
    assert [one["number"] for one in found] == [1, 3]


def test_reads_are_chosen_by_time_and_actor_and_sorted(clinic: Command) -> None:
    clinic("explain", "pt2", "2025-03", "--actor", "b")
    clinic("explain", "pt1", "2025-03", "--actor", "a")
    assert [r["actor"] for r in reads(clinic, "--by", "a")] == []  # the listing's own is last
    listed = clinic("audit", "access", "list", "--json", "--by", "a").lines()
    assert [r["actor"] for r in listed] == ["a"]
    by_patient = clinic("audit", "access", "list", "--json", "--sort", "patient").lines()
    patients = [r["wanted"].get("patient", "") for r in by_patient]
    assert patients == sorted(patients)
    assert clinic("audit", "access", "list", "--to", "2020-01-01T00:00:00Z").out == b""
    assert "expected one of at, actor" in clinic("audit", "access", "list", "--sort", "x").err
    line = clinic("audit", "access", "list", "--by", "a").out.decode()
    assert f"a ({system_user()})  command explain  patient=pt1 month=2025-03" in line


def test_looking_at_the_access_log_is_written_down_too(clinic: Command) -> None:
    clinic("audit", "access", "export", "--patient", "pt1")
    (one,) = reads(clinic)
    assert (one["what"], one["wanted"]) == ("audit access export", {"patient": "pt1"})


def test_reads_are_exported_as_audit_events(clinic: Command) -> None:
    """FHIR R4: required members, codes of the systems it names, one of name and query."""
    clinic("explain", "pt1", "2025-03", "--practice", "p1", "--reason", "probe")
    clinic("assessments", "--status", "blocked")
    clinic("export")
    record, query, export, _ = clinic("audit", "access", "export").lines()
    for event in (record, query, export):
        assert event["resourceType"] == "AuditEvent"
        assert {"type", "recorded", "agent", "source"} <= set(event)
        assert event["source"]["observer"] == {"display": "caretally"}
        (agent,) = event["agent"]
        assert agent["requestor"] is True
        assert agent["who"]["identifier"]["value"] == system_user()
        assert not any("name" in entity and "query" in entity for entity in event["entity"])
    assert [e["type"]["code"] for e in (record, query, export)] == ["110110", "110112", "110106"]
    assert [e["action"] for e in (record, query, export)] == ["R", "E", "E"]
    assert record["purposeOfEvent"] == [{"text": "probe"}]
    patient, question = record["entity"]
    assert patient["what"] == {
        "type": "Patient",
        "identifier": {"value": "pt1", "assigner": {"display": "p1"}},
    }
    assert json.loads(base64.b64decode(question["query"]))["month"] == "2025-03"
    assert "purposeOfEvent" not in query
    assert json.loads(base64.b64decode(query["entity"][0]["query"])) == {"status": "blocked"}


def test_a_read_over_http_names_the_door_and_what_the_caller_said(command: Command) -> None:
    with composed(Settings(database=command.database), lambda: 1_742_000_000_000_000) as parts:
        headers = [(b"x-actor", b"dashboard/j.doe"), (b"x-reason", b"follow-up")]
        scope = {"type": "http", "path": "/alerts/stream", "headers": headers, "query_string": b""}
        scope["state"] = {"principal": Principal("http token", frozenset({Role.INTEGRATOR}))}
        Reads(parts).note(Request({**scope, "server": ("h", 80)}), {"practice": "p1", "type": None})
    (one,) = reads(command)
    assert one == {
        "number": 1,
        "at": "2025-03-15T00:53:20Z",
        "door": "http",
        "what": "/alerts/stream",
        "actor": "dashboard/j.doe",
        "user": "http token",
        "wanted": {"practice": "p1"},
        "reason": "follow-up",
    }


def test_several_readers_at_once_leave_one_chain(tmp_path: Path) -> None:
    from threading import Thread

    from infra.eventstore.accesses import AccessLog, next_hash

    url = f"sqlite:///{tmp_path}/care.db"
    stores = [open_store(url) for _ in range(3)]

    def append(store: Store) -> None:
        for _ in range(20):
            AccessLog(store).append(lambda number: b"%d" % number)

    threads = [Thread(target=append, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = list(AccessLog(stores[0]).rows())
    assert [row.body for row in rows] == [b"%d" % n for n in range(1, 61)]
    head = b""
    for row in rows:
        head = next_hash(head, row.body)
        assert row.hash == head
    assert open_transaction(stores[0])[1] == "?"
    for one in stores:
        one.close()
