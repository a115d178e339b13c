"""Explanations from a store: the right patient, the right moment, readable and canonical."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from domain.explain import explain
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.codec import stream_id
from infra.eventstore import open_store
from projections.ports import Batch, Snapshot, Store
from services.explain import explain_json, explain_stored, explain_text
from services.histories import Unanswerable
from services.ingest import Delivery, Ingest
from tests.given import clocked, folded, mdm, ready, staff

NPI = "1000000004"
MONTH = "2025-03"
FIRST_US = 1_741_300_000_000_000
LATER_US = FIRST_US + 86_400_000_000
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def said(type: str, data: dict[str, Any], id: str, practice: str, time: str) -> bytes:
    head = {"specversion": "1.0", "id": id, "source": "/ehr", "type": type, "subject": "pt1"}
    return json.dumps({**head, "practiceid": practice, "time": time, "data": data}).encode()


def chart(practice: str) -> list[bytes]:
    on = "2025-01-02"
    billing = {"npi": NPI, "credential": "MD"}
    enrolled = {"effective_on": on, "timezone": "America/New_York", "billing_practitioner": billing}
    facts: list[tuple[str, dict[str, Any]]] = [
        ("patient.enrolled.v1", enrolled),
        ("visit.recorded.v1", {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}),
        ("consent.recorded.v1", {"consented_on": on, "method": "written", "npi": NPI}),
        ("condition.recorded.v1", {"code": "I10", "chronic": True}),
        ("condition.recorded.v1", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded.v1", {"action": "established", "on": on}),
    ]
    time = "2025-01-02T17:00:00Z"
    return [said(t, d, f"{practice}-c{n}", practice, time) for n, (t, d) in enumerate(facts)]


def logged(entry: str, seconds: int, practice: str) -> bytes:
    data = {
        "entry_id": entry,
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "care_coordination",
        "performed_on": "2025-03-05",
        "seconds": seconds,
    }
    return said("time.logged.v1", data, f"{practice}-{entry}", practice, "2025-03-05T21:00:00Z")


def voided(entry: str, practice: str) -> bytes:
    data = {"entry_id": entry, "reason": "wrong patient"}
    return said(
        "time.voided.v1", data, f"{practice}-void-{entry}", practice, "2025-03-06T21:00:00Z"
    )


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db")
    yield opened
    opened.close()


def put(store: Store, messages: Sequence[bytes], at_us: int, offset: int) -> None:
    ingest = Ingest(store, lambda: at_us, BOOK, policy_of)
    outcome = ingest.take(
        [Delivery(m, None, (), f"test:{n}") for n, m in enumerate(messages)], {"test": offset}
    )
    assert outcome.accepted == len(messages)


def policy_of(_: str) -> Policy:
    return Policy()


def test_a_stored_month_is_explained_as_the_read_model_shows_it(store: Store) -> None:
    put(store, [*chart("p1"), logged("t1", 1260, "p1")], FIRST_US, 1)
    x = explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH)
    (shown,) = store.assessments(month=MONTH)
    assert assessment_json(x.assessment) == shown
    assert {e.id for c in x.conditions for e in c.evidence} == {f"p1-c{n}" for n in range(6)}


def test_as_of_an_instant_only_what_was_stored_by_then_is_known(store: Store) -> None:
    put(store, [*chart("p1"), logged("t1", 1260, "p1")], FIRST_US, 1)
    put(store, [voided("t1", "p1")], LATER_US, 2)
    now = explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH)
    then = explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH, as_of_us=LATER_US - 1)
    at = explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH, as_of_us=LATER_US)
    assert (now.assessment.status, now.assessment.as_of) == ("accruing", None)
    assert then.assessment.status == "billable"
    assert then.assessment.as_of == "2025-03-07T22:26:39.999999Z"
    assert at.assessment.status == "accruing"
    assert then.assessment.stream_version == now.assessment.stream_version - 1


def test_a_snapshot_hides_no_event_from_an_explanation(store: Store) -> None:
    put(store, [*chart("p1"), logged("t1", 1260, "p1")], FIRST_US, 1)
    put(store, chart("p2"), FIRST_US, 2)
    before = explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH)
    store.commit(Batch(snapshots=[Snapshot(stream_id("p1", "pt1"), 5, "some form", b"anything")]))
    assert explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH) == before


class TestWhichPatient:
    def test_a_patient_of_one_practice_needs_no_practice(self, store: Store) -> None:
        put(store, [*chart("p/1"), logged("t1", 1260, "p/1")], FIRST_US, 1)
        x = explain_stored(store, BOOK, policy_of, None, "pt1", MONTH)
        assert x.assessment.practice_id == "p/1"

    def test_a_patient_of_several_practices_is_refused_with_their_names(self, store: Store) -> None:
        put(store, [*chart("p1"), *chart("p2")], FIRST_US, 1)
        with pytest.raises(Unanswerable, match=r"several practices.*'p1', 'p2'") as refused:
            explain_stored(store, BOOK, policy_of, None, "pt1", MONTH)
        assert refused.value.field == "practice"

    @pytest.mark.parametrize("practice", [None, "p1"])
    def test_an_unknown_patient_is_refused(self, store: Store, practice: str | None) -> None:
        with pytest.raises(Unanswerable, match="'nobody'") as refused:
            explain_stored(store, BOOK, policy_of, practice, "nobody", MONTH)
        assert refused.value.field == "patient"

    def test_a_patient_not_yet_known_at_the_instant_is_refused(self, store: Store) -> None:
        put(store, chart("p1"), FIRST_US, 1)
        with pytest.raises(Unanswerable, match="nothing was known"):
            explain_stored(store, BOOK, policy_of, "p1", "pt1", MONTH, as_of_us=FIRST_US - 1)

    @pytest.mark.parametrize("month", ["2025-3", "2025-13", "March", "1999-01", ""])
    def test_a_month_out_of_form_is_refused(self, store: Store, month: str) -> None:
        with pytest.raises(Unanswerable, match="expected YYYY-MM") as refused:
            explain_stored(store, BOOK, policy_of, "p1", "pt1", month)
        assert refused.value.field == "month"


BLOCKED = [e for e in ready(MONTH) if type(e.fact).__name__ != "ConsentRecorded"]
RICH = [
    *ready(MONTH),
    mdm(MONTH),
    staff("t1", "2025-03-05", 3700),
    clocked("t2", "2025-03-07T10:00:00-05:00", "2025-03-07T10:15:00-05:00"),
    clocked("t3", "2025-03-07T10:10:00-05:00", "2025-03-07T10:25:00-05:00"),
    staff("an-entry-with-a-very-long-name-" + "x" * 120, "2025-03-08", 60),
]


class TestText:
    def test_no_line_is_wider_than_a_terminal(self) -> None:
        for events in (RICH, BLOCKED):
            text = explain_text(explain(folded(events), MONTH, BOOK, Policy()), color=False)
            assert max(map(cell_len, text.splitlines())) <= 100

    def test_colour_changes_nothing_but_the_colour(self) -> None:
        x = explain(folded(RICH), MONTH, BOOK, Policy())
        plain, coloured = explain_text(x, color=False), explain_text(x, color=True)
        assert "\x1b" not in plain
        assert ANSI.sub("", coloured).split() == plain.split()
        assert coloured != plain

    def test_every_section_and_the_decisive_words_are_there(self) -> None:
        text = explain_text(explain(folded(RICH), MONTH, BOOK, Policy()), color=False)
        for words in (
            "billable: 99487, 131.65 USD (cms-2025-national-nonfacility)",
            "Conditions",
            "not counted, overlap: 300 s (5:00) on 2025-03-07",
            "99439 unit 2 at 3600 s (60:00): reached on 2025-03-05 with entry t1",
            "non-complex, legal as well: 99490 + 99439 x2 = 152.35 USD",
            "99490: (1.00 + 0.81 + 0.06) x 32.3465 = 60.49",
            "What would change the answer",
            "Rules and sources",
            "complex.mdm, from 2020-01-01 on",
        ):
            assert words in text

    def test_a_blocked_month_says_what_blocks_and_what_would_help(self) -> None:
        events = [*BLOCKED, staff("t1", "2025-03-05", 1260)]
        text = explain_text(explain(folded(events), MONTH, BOOK, Policy()), color=False)
        assert "blocked by consent-missing" in text
        assert "NOT MET" in text
        assert "dated on or before 2025-03-05 -> 99490" in text

    def test_markup_in_an_identifier_is_printed_as_it_is(self) -> None:
        events = [*ready(MONTH), staff("[red]t1[/red] :smile:", "2025-03-05", 60)]
        text = explain_text(explain(folded(events), MONTH, BOOK, Policy()), color=False)
        assert "[red]t1[/red] :smile:" in text

    def test_a_control_character_in_an_identifier_reaches_no_terminal(self) -> None:
        events = [*ready(MONTH), staff("t\x1b[31m1", "2025-03-05", 60)]
        text = explain_text(explain(folded(events), MONTH, BOOK, Policy()), color=False)
        assert "\x1b" not in text

    def test_every_rule_named_anywhere_is_listed_with_its_source(self) -> None:
        x = explain(folded(RICH), MONTH, BOOK, Policy())
        text = explain_text(x, color=False)
        _, listed = text.split("Rules and sources")
        for condition in x.conditions:
            for rule in condition.rules:
                assert f"{rule.rule_id}, from" in listed


class TestJson:
    def test_members_stand_in_the_documented_order(self) -> None:
        body = json.loads(explain_json(explain(folded(RICH), MONTH, BOOK, Policy())))
        assert list(body) == [
            "assessment",
            "conditions",
            "entries",
            "ladders",
            "options",
            "claim",
            "what_ifs",
            "remarks",
            "services",
            "basis",
            "hints",
        ]
        assert list(body["conditions"][0]) == [
            "blocker",
            "met",
            "sentence",
            "evidence",
            "falls_short",
            "rules",
        ]
        assert list(body["conditions"][0]["evidence"][0]) == ["source", "id", "type"]

    def test_the_assessment_inside_has_the_contracts_own_bytes(self) -> None:
        x = explain(folded(RICH), MONTH, BOOK, Policy())
        assert explain_json(x).startswith(b'{"assessment":' + assessment_json(x.assessment) + b",")

    def test_equal_facts_in_any_order_give_equal_bytes(self) -> None:
        bodies = {
            explain_json(explain(folded(order), MONTH, BOOK, Policy()))
            for order in (RICH, RICH[::-1], [*RICH[5:], *RICH[:5]], [*RICH, *RICH])
        }
        assert len(bodies) == 1

    def test_money_is_a_decimal_string_and_dates_are_iso(self) -> None:
        body = json.loads(explain_json(explain(folded(RICH), MONTH, BOOK, Policy())))
        line = body["options"][1]["lines"][0]
        assert (line["unit_amount"], line["work"]["factor"]) == ("60.49", "32.3465")
        assert body["options"][1]["date_of_service"] == "2025-03-05"
