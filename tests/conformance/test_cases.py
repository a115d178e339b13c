"""Every case in `conformance/` holds, and a case file cannot be misread."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from domain import facts as f
from domain.rules import BOOK
from services.conformance import Case, CaseError, load_cases, run, run_case

ROOT = Path(__file__).resolve().parents[2] / "conformance"
CASES = load_cases([ROOT])

ONE = """
- id: X1
  title: twenty minutes
  authority: derived
  source: the rules page, section 1
  month: 2025-03
  events:
  - time.logged: {entry_id: t1, performer: {id: rn1, role: clinical_staff},
                  activity: care_coordination, performed_on: 2025-03-05, seconds: 1200}
  expect: {codes: {99490: 1}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def written(folder: Path, text: str, name: str = "cases.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_case_holds(case: Case) -> None:
    """Each published and each own case, run the way real input runs."""
    differences = run_case(case, BOOK).differences
    assert not differences, f"{case.title} ({case.source})"


def test_at_least_ninety_cases_are_our_own() -> None:
    assert sum("own" in case.path.parts for case in CASES) >= 90


def test_the_member_on_and_plain_dates_stay_what_was_written(folder: Path) -> None:
    """YAML 1.1 reads `on` as true, 2025-03-01 as a date and 07102 as an octal number."""
    text = ONE.replace(
        "  events:\n", "  events:\n  - care_plan.recorded: {action: revised, on: 2025-03-01}\n"
    )
    case = load_cases([written(folder, text)])[0]
    plans = [e.fact for e in case.events if isinstance(e.fact, f.CarePlanRecorded)]
    assert [plan.on.isoformat() for plan in plans] == ["2025-01-01", "2025-03-01"]


def test_a_locality_keeps_its_zeros_and_a_boolean_its_meaning(folder: Path) -> None:
    text = ONE.replace(
        "  events:\n",
        "  baseline: {enrolled: {locality: 07102-13, new_patient: true}}\n  events:\n",
    )
    enrolled = load_cases([written(folder, text)])[0].events[0].fact
    assert isinstance(enrolled, f.PatientEnrolled)
    assert (enrolled.locality, enrolled.new_patient) == ("07102-13", True)
    assert enrolled.billing_practitioner == f.Practitioner("1000000004", "MD")


def test_the_baseline_comes_first_and_false_leaves_it_out(folder: Path) -> None:
    assert len(load_cases([written(folder, ONE)])[0].events) == 7
    bare = ONE.replace("  events:\n", "  baseline: false\n  events:\n")
    assert len(load_cases([written(folder, bare)])[0].events) == 1
    dropped = ONE.replace("  events:\n", "  baseline: {consent: null}\n  events:\n")
    assert len(load_cases([written(folder, dropped)])[0].events) == 6


def test_a_correction_without_a_time_of_its_own_comes_after_what_it_corrects(folder: Path) -> None:
    text = ONE.replace(
        "  expect:", "  - time.voided: {entry_id: t1, reason: wrong patient}\n  expect:"
    )
    logged, voided = load_cases([written(folder, text)])[0].events[-2:]
    assert voided.time == logged.time + 1


def test_a_fact_is_said_at_five_on_its_own_date_and_later_ones_later(folder: Path) -> None:
    events = load_cases([written(folder, ONE)])[0].events
    assert events[0].time == 1735750800  # 2025-01-01T17:00:00Z
    assert events[1].time == events[0].time + 1
    assert events[6].time == 1741194000 + 6  # 2025-03-05T17:00:06Z


def test_an_amendment_to_an_earlier_day_is_still_said_after_the_entry(folder: Path) -> None:
    amended = (
        "  - time.amended: {entry_id: t1, performer: {id: rn1, role: clinical_staff}, "
        "activity: a, performed_on: 2025-03-02, seconds: 60, reason: day}\n"
    )
    events = load_cases([written(folder, ONE.replace("  expect:", amended + "  expect:"))])[
        0
    ].events
    assert events[-1].time == events[-2].time + 1


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("month: 2025-03", "month: March", "month"),
        ("  title: twenty minutes\n", "", "title"),
        ("authority: derived", "authority: me", "authority"),
        ("seconds: 1200", "seconds: twenty", "events[0].time.logged.seconds"),
        ("role: clinical_staff", "role: nurse", "events[0].performer.role"),
        ("time.logged", "time.dreamt", "events[0].type"),
        ("{99490: 1}", "{99490: one}", "expect.codes.99490"),
        ("expect: {codes", "expect: {code", "expect.code"),
        ("expect: {codes: {99490: 1}}", "expect: {status: billable}", "expect.codes"),
        ("{99490: 1}}", "{99490: 1}, status: paid}", "expect.status"),
        ("  events:", "  policy: {selection: cheapest}\n  events:", "policy.selection"),
        ("  events:", "  policy: {select: x}\n  events:", "policy.select"),
        ("  events:", "  baseline: {consents: null}\n  events:", "baseline.consents"),
        ("  events:", "  baseline: {visit: {on: soon}}\n  events:", "baseline.visit.on"),
        ("  events:", "  because: x\n  events:", "because"),
        ("  - time.logged", "  - at: noon\n    time.logged", "events[0].at"),
        ("  - time.logged", "  - at: 2025-03-05T17:00Z\n    time.logged", "events[0].at"),
        (
            "  - time.logged",
            "  - recorded_at: noon\n    time.logged",
            "events[0].recorded_at",
        ),
    ],
)
def test_a_malformed_case_is_refused_by_file_case_and_field(
    folder: Path, old: str, new: str, field: str
) -> None:
    path = written(folder, ONE.replace(old, new))
    with pytest.raises(CaseError) as refused:
        load_cases([path])
    assert (refused.value.path, refused.value.case_id) == (path, "X1")
    assert refused.value.field == field
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{id: X1}", "expected a list of cases"),
        ("- [", "is not YAML"),
        ("- {id: X1, id: X2}", "stands twice"),
        ("", "expected a list of cases"),
    ],
)
def test_a_file_that_holds_no_cases_is_refused(folder: Path, text: str, sentence: str) -> None:
    with pytest.raises(CaseError, match=sentence):
        load_cases([written(folder, text)])


def test_nothing_to_run_is_an_error_not_a_success(folder: Path) -> None:
    with pytest.raises(CaseError, match="no case there"):
        load_cases([folder])
    with pytest.raises(CaseError, match="cannot be read"):
        load_cases([folder / "nowhere.yaml"])


def test_one_id_twice_is_refused_across_files(folder: Path) -> None:
    written(folder, ONE, "a.yaml")
    written(folder, ONE, "b.yml")
    with pytest.raises(CaseError, match=r"b\.yml, case X1, id: stands in .*a\.yaml already"):
        load_cases([folder])


def test_a_run_prints_each_difference_and_a_summary(folder: Path) -> None:
    failing = ONE.replace("{99490: 1}", "{99490: 1, 99439: 1}").replace("X1", "X2")
    paths = [written(folder, ONE, "a.yaml"), written(folder, failing, "b.yaml")]
    out = io.StringIO()
    assert run(paths, json=False, out=out) == 1
    assert "FAIL X2: twenty minutes" in out.getvalue()
    assert "codes: expected {'99490': 1, '99439': 1}, found {'99490': 1}" in out.getvalue()
    assert out.getvalue().endswith("2 cases, 1 passed, 1 failed\n")


def test_a_run_as_json_is_one_result_a_line_and_a_summary(folder: Path) -> None:
    out = io.StringIO()
    assert run([written(folder, ONE)], json=True, out=out) == 0
    result, summary = map(json.loads, out.getvalue().splitlines())
    assert (result["id"], result["passed"], result["differences"]) == ("X1", True, [])
    assert summary == {"summary": {"cases": 1, "passed": 1, "failed": 0}}


def test_an_unreadable_file_is_bad_input(folder: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert run([folder / "nowhere.yaml"], json=True, out=out, err=err) == 2
    assert out.getvalue() == ""
    assert "nowhere.yaml" in err.getvalue()


def test_expected_warnings_are_a_minimum_and_all_else_exact(folder: Path) -> None:
    """`unclocked-time` is there whether or not the case asks; other members must be equal."""
    for expected, passes in [
        ("warnings: []", True),
        ("warnings: [unclocked-time]", True),
        ("warnings: [mue-exceeded]", False),
        ("blockers: []", True),
        ("blockers: [consent-missing]", False),
        ("excluded: {}", True),
        ("excluded: {overlap: 1}", False),
        ("options: [non-complex]", True),
        ("options: [complex, non-complex]", False),
        ("payment: '60.49'", True),
        ("payment: null", False),
        ("date_of_service: 2025-03-05", True),
        ("date_of_service: null", False),
    ]:
        text = ONE.replace("{99490: 1}}", f"{{99490: 1}}, {expected}}}")
        case = load_cases([written(folder, text)])[0]
        assert run_case(case, BOOK).passed is passes, expected


def test_each_further_member_of_an_expectation_is_compared(folder: Path) -> None:
    """`seconds` names some members; `next`, `earned` and the exclusions by entry are exact."""
    voiced = "  - time.logged: {entry_id: t2, performer: {id: rn1, role: clinical_staff}, "
    voiced += "activity: training, performed_on: 2025-03-06, seconds: 60}\n"
    step = "{code: 99439, unit: 1, seconds_to_go: 1200}"
    first = "{code: 99491, unit: 1, seconds_to_go: 1800}"
    for expected, passes in [
        ("earned: [non-complex]", True),
        ("earned: []", False),
        ("without_warnings: [mue-exceeded]", True),
        ("without_warnings: [mue-exceeded, unclocked-time]", False),
        ("excluded_by_entry: {t2: {not-countable: 60}}", True),
        ("excluded_by_entry: {t1: {not-countable: 60}}", False),
        ("seconds: {logged: 1260, excluded: 60}", True),
        ("seconds: {logged: 1260, pooled: 1260}", False),
        (f"next: {{non-complex: {step}, practitioner: {first}}}", True),
        (f"next: {{non-complex: {step}}}", False),
    ]:
        text = ONE.replace("  expect:", voiced + "  expect:")
        text = text.replace("{99490: 1}}", f"{{99490: 1}}, {expected}}}")
        case = load_cases([written(folder, text)])[0]
        assert run_case(case, BOOK).passed is passes, expected


@pytest.mark.parametrize(
    ("expected", "field"),
    [
        ("seconds: {pool: 1}", "expect.seconds.pool"),
        ("next: {simple: {code: x, unit: 1, seconds_to_go: 1}}", "expect.next.simple"),
        ("next: {rhc: {code: x, unit: 1}}", "expect.next.rhc.seconds_to_go"),
        ("earned: [simple]", "expect.earned"),
        ("excluded_by_entry: {t1: {overlap: ten}}", "expect.excluded_by_entry.t1.overlap"),
    ],
)
def test_a_malformed_expectation_is_refused_by_its_field(
    folder: Path, expected: str, field: str
) -> None:
    path = written(folder, ONE.replace("{99490: 1}}", f"{{99490: 1}}, {expected}}}"))
    with pytest.raises(CaseError) as refused:
        load_cases([path])
    assert refused.value.field == field


def test_the_same_id_said_twice_counts_once(folder: Path) -> None:
    entry = ONE[ONE.index("  - time.logged") : ONE.index("  expect")]
    said = entry.replace("seconds: 1200", "seconds: 700") + "    id: same\n"
    text = ONE.replace(entry, said + said).replace("{99490: 1}", "{}")
    case = load_cases([written(folder, text)])[0]
    assert [event.id for event in case.events].count("same") == 2
    assert run_case(case, BOOK).passed
    apart = text.replace("id: same", "id: other", 1).replace("entry_id: t1", "entry_id: t2", 1)
    assert not run_case(load_cases([written(folder, apart)])[0], BOOK).passed
