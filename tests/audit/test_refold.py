"""`caretally audit replay --verify`: the log folded anew is what is live, or every difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore import open_store
from infra.eventstore.bypatient import LIVE_MONTHS, PatientByPatient, Range
from infra.eventstore.projected import open_projected
from infra.eventstore.transparency import open_transaction
from projections.ports import Store
from services.audit.refold import Refolded, orphans, refold
from services.projecting.following import step
from services.projecting.overlaps import StaffOverlaps
from tests.audit.test_tamper_evidence import DATABASES, Vandal
from tests.postgres import postgres_server, postgres_url
from tests.services.command import Command, command, store
from tests.services.test_ingest import chart, ingest_into, logged, said, take

__all__ = ["command", "postgres_server", "postgres_url", "store"]

ALL = Range("", None)


@pytest.fixture(params=DATABASES)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Patients whose alerts were raised, resolved and suppressed, in many small batches."""
    if request.param == "postgres":
        opened = open_store(request.getfixturevalue("postgres_url"))
    else:
        opened = open_store(f"sqlite:///{tmp_path}/log.db")
    yield with_alerts(opened)
    opened.close()


def with_alerts(store: Store) -> Store:
    ingest = ingest_into(store, patients_max=2)
    for n in range(7):
        patient = f"pt{n}"
        take(ingest, chart(patient)[: 6 - n % 3])
        take(ingest, [logged("t1", 1150, patient), logged("t2", 100 + n, patient)])
        void = {"entry_id": "t1", "reason": "wrong patient"}
        take(ingest, [said("time.voided.v1", void, f"{patient}-v", patient)])
        take(ingest, [logged(f"u{i}", 1200, patient) for i in range(n % 3)])
        history = said("month.claimed.v1", claim(n), f"{patient}-m", patient, backfill=True)
        take(ingest, [history])
    return store


def claim(n: int) -> dict[str, object]:
    codes = [{"code": "99490", "units": 1}]
    return {"month": "2025-03", "codes": codes, "claim_id": f"c{n}", "submitted_on": "2025-04-02"}


def folded(store: Store, part: Range = ALL) -> Refolded:
    return refold(store, part, BOOK, lambda _: Policy())


def test_what_ingest_left_is_what_its_events_come_to(log: Store) -> None:
    """Assessments and transitions, delivered and suppressed, byte for byte."""
    found = folded(log)
    stored = log.transitions(0, 1000)
    assert found.deviations == []
    assert (found.events, found.patients) == (log.head(), 7)
    assert (found.transitions, found.assessments) == (len(stored), len(list(log.assessments())))
    assert {t.state.raised for t in stored} == {True, False}
    assert {t.suppressed is None for t in stored} == {True, False}


def test_live_months_are_found_through_an_index_however_many_there_are(
    tmp_path: Path,
) -> None:
    """SQLite would read all of them for every hundred patients, were the query put otherwise."""
    store = open_store(f"sqlite:///{tmp_path}/plan.db")
    transaction, _ = open_transaction(store)
    wanted = ["p1", "pt1"] * 100
    with transaction(False) as c:
        c.execute("EXPLAIN QUERY PLAN " + LIVE_MONTHS.format(", ".join(["(?, ?)"] * 100)), wanted)
        plan = [row[3] for row in c.fetchall()]
    store.close()
    assert any("SEARCH assessments USING INDEX" in step for step in plan), plan


def test_ranges_cover_every_patient_once(log: Store) -> None:
    for wanted in (1, 2, 3, 7, 50):
        whole = Refolded()
        for part in PatientByPatient(log).ranges(wanted):
            whole.add(folded(log, part))
        assert (whole.patients, whole.events, whole.deviations) == (7, log.head(), [])


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (
            "UPDATE assessments SET body = {body} WHERE patient_id = 'pt1'",
            ("assessment", "different", "p1/pt1", "2025-03", ("seconds",)),
        ),
        (
            "UPDATE assessments SET status = 'claimed!' WHERE patient_id = 'pt1'",
            ("assessment", "different", "p1/pt1", "2025-03", ("row",)),
        ),
        (
            "UPDATE assessments SET stream_id = 'p1/pt2' WHERE patient_id = 'pt1'",
            ("assessment", "different", "p1/pt1", "2025-03", ("row",)),
        ),
        (
            "DELETE FROM assessments WHERE patient_id = 'pt1'",
            ("assessment", "missing", "p1/pt1", "2025-03", ()),
        ),
        (
            "UPDATE assessments SET month = '2025-04' WHERE patient_id = 'pt1'",
            ("assessment", "left-over", "p1/pt1", "2025-04", ()),
        ),
        (
            "DELETE FROM transitions WHERE position = 2",
            ("transition", "missing", "p1/pt0", "2025-03", ()),
        ),
        (
            "UPDATE transitions SET transition = 9 WHERE position = 2",
            ("transition", "left-over", "p1/pt0", "2025-03", ()),
        ),
        (
            "UPDATE transitions SET suppressed = 'history' WHERE position = 2",
            ("transition", "different", "p1/pt0", "2025-03", ("row",)),
        ),
        (
            "UPDATE transitions SET stream_id = 'p1/nobody' WHERE position = 2",
            ("transition", "left-over", "p1/nobody", "2025-03", ()),
        ),
        (
            "UPDATE transitions SET recorded_at_us = 1 WHERE position = 2",
            ("transition", "different", "p1/pt0", "2025-03", ("row",)),
        ),
    ],
)
def test_whatever_differs_is_named(
    log: Store, harm: str, expected: tuple[str, str, str, str, tuple[str, ...]]
) -> None:
    vandal, values = Vandal(log), ()
    if "{body}" in harm:
        (body,) = list(log.assessments(patient="pt1"))
        changed = body[: body.rindex(b',"stream_version"')] + b"}"
        harm = harm.format(body="?")
        values = (changed.replace(b'"logged":', b'"logged":1'),)  # type: ignore[assignment]
    vandal(harm, *values)
    found = {(d.what, d.kind, d.stream_id, d.month, d.members) for d in folded(log).deviations}
    assert expected in found


def test_transitions_that_changed_places_are_named(log: Store) -> None:
    """Two of one patient: each is right by itself, their order is not."""
    vandal = Vandal(log)
    first, second = [t.position for t in log.transitions(0, 100) if t.stream_id == "p1/pt0"][:2]
    for old, new in ((first, 900), (second, first), (900, second)):
        vandal("UPDATE transitions SET position = ? WHERE position = ?", new, old)
    assert [(d.kind, d.members) for d in folded(log).deviations] == [("different", ("order",))]


def test_months_of_a_patient_who_is_not_in_the_log_are_named(log: Store) -> None:
    Vandal(log)("UPDATE assessments SET stream_id = 'p1/ghost' WHERE patient_id = 'pt1'")
    assert [(d.kind, d.stream_id) for d in orphans(log)] == [("left-over", "p1/ghost")]


def test_a_policy_that_changed_since_is_a_list_of_differences(log: Store) -> None:
    found = refold(log, ALL, BOOK, lambda _: Policy(approaching_seconds=0))
    assert {(d.what, d.kind) for d in found.deviations} >= {("transition", "left-over")}


def test_an_event_that_cannot_be_read_is_named(log: Store) -> None:
    Vandal(log)("UPDATE stored_events SET topic = 'unheard.of.v1' WHERE PLACE = 3")
    assert [(d.what, d.kind, d.stream_id) for d in folded(log).deviations] == [
        ("event", "unreadable", "p1/pt0")
    ]


@pytest.fixture
def clinic(command: Command, store: Store) -> Command:
    with_alerts(store)
    return command


@pytest.mark.parametrize("processes", [1, 2])
def test_the_command_tells_and_ends_with_1_where_anything_differs(
    clinic: Command, store: Store, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETALLY_DATABASE", clinic.database)
    equal = clinic("audit", "replay", "--verify", "--processes", processes)
    assert (equal.code, equal.out) == (0, b"")
    assert "7 patients folded" in equal.err
    assert equal.err.endswith(": all equal\n")
    Vandal(store)("DELETE FROM transitions WHERE position = 2")
    found = clinic("audit", "replay", "--verify", "--processes", processes, "--json")
    assert found.code == 1
    *lines, summary = found.lines()
    assert [(one["what"], one["kind"], one["stream"]) for one in lines] == [
        ("transition", "missing", "p1/pt0")
    ]
    assert (summary["differences"], summary["events"]) == (1, store.head())
    assert "p1/pt0 2025-03 transition" in clinic("audit", "replay", "--verify").out.decode()


def test_without_verify_it_says_what_it_is_for(clinic: Command) -> None:
    ran = clinic("audit", "replay")
    assert (ran.code, ran.out) == (2, b"")
    assert "expected --verify" in ran.err


def test_what_crosses_patients_is_counted_alone(
    store: Store,
) -> None:
    """Overlaps of one member of staff: decided by their projection, not by either patient."""
    clocked = {"started_at": "2025-03-05T16:00:00Z", "ended_at": "2025-03-05T16:30:00Z"}
    who = {"performer": {"id": "rn1", "role": "clinical_staff"}, "activity": "call"}
    for p in ("pt1", "pt2"):
        entry = said("time.logged.v1", {"entry_id": "x", **who, **clocked}, p, p)
        take(ingest_into(store), [*chart(p), entry])
    overlaps = StaffOverlaps(store, open_projected(store), lambda _: Policy())
    while step(store, overlaps, 0, 5):
        pass
    found = folded(store)
    stored = store.transitions(0, 100)
    assert found.crossing == sum(t.state.type == "staff.overlap" for t in stored) > 0
    assert found.deviations == []
