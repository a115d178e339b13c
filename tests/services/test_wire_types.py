"""Every event type decodes to its fact, and every constraint on its members holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain import facts as f
from domain.rejections import Reason
from infra.codec import decode_event, encode_state
from projections.ports import StoredEvent
from services.wire import limits, scalars
from services.wire.envelope import ENVELOPE_OF_TYPE
from services.wire.models import DATA_OF_TYPE
from tests.services.wire_examples import (
    AT,
    CLOCKED,
    EXAMPLES,
    GONE,
    NPI,
    STAFF,
    UNCLOCKED,
    accepted,
    changed,
    cloudevent,
    refusal,
)

INVALID, MISSING = Reason.INVALID_MEMBER, Reason.MISSING_MEMBER
RANGE, BACKWARDS = Reason.DATE_OUT_OF_RANGE, Reason.ENDS_BEFORE_START
LONG, AHEAD = Reason.ENTRY_TOO_LONG, Reason.WORK_IN_FUTURE


def test_the_examples_and_the_models_cover_every_type_of_the_contract() -> None:
    assert set(EXAMPLES) == set(f.FACT_OF_TYPE) == set(DATA_OF_TYPE) == set(ENVELOPE_OF_TYPE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_type_becomes_its_fact(name: str) -> None:
    event = accepted(cloudevent(name)).event
    assert event.fact == EXAMPLES[name][1]
    assert type(event.fact) is f.FACT_OF_TYPE[name]
    assert (event.practice_id, event.patient_id, event.time) == ("p1", "pt1", AT)
    assert event.key == (cloudevent()["source"], "e1")


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_accepted_reads_the_same_from_the_store(name: str) -> None:
    taken = accepted(cloudevent(name))
    state = encode_state(
        source=taken.event.source,
        id=taken.event.id,
        time_text=taken.time_text,
        recorded_at_us=None,
        previous=None,
        data=taken.data,
    )
    assert decode_event(StoredEvent("p1/pt1", 1, name, state, b"")) == taken.event


def required_members(name: str) -> list[str]:
    """The members that the contract demands, both halves of a time entry's work among them."""
    optional = {"onset_on", "document", "discharged_on", "ccm_discussed"}
    return [member for member in EXAMPLES[name][0] if member not in optional]


@pytest.mark.parametrize(
    ("name", "member"), [(name, member) for name in EXAMPLES for member in required_members(name)]
)
def test_a_missing_member_is_named(name: str, member: str) -> None:
    found = refusal(changed(cloudevent(name), f"data.{member}", GONE))
    assert (found.reason, found.field) == (MISSING, f"data.{member}")
    assert found.sentence.startswith(f"data.{member} is missing; expected ")


@pytest.mark.parametrize(
    ("name", "member"), [(name, member) for name in EXAMPLES for member in EXAMPLES[name][0]]
)
def test_a_member_of_another_json_type_is_named(name: str, member: str) -> None:
    wrong: Any = 1.5 if member not in ("units", "seconds") else "1200"
    found = refusal(changed(cloudevent(name), f"data.{member}", wrong))
    assert (found.reason, found.field) == (INVALID, f"data.{member}")
    assert found.sentence.endswith("; found '1200'." if wrong == "1200" else "; found 1.5.")


def test_an_enrolment_takes_every_optional_member() -> None:
    extra = {
        "provider_kind": "fqhc",
        "setting": "facility",
        "locality": "13202-01",
        "new_patient": True,
    }
    document = cloudevent("patient.enrolled.v1")
    document["data"] |= extra
    assert accepted(document).event.fact == f.PatientEnrolled(
        date(2025, 1, 1),
        "America/New_York",
        f.Practitioner(NPI, "MD"),
        "fqhc",
        "facility",
        "13202-01",
        True,
    )


def test_an_unknown_credential_is_accepted_here_and_left_to_the_rules() -> None:
    document = changed(
        cloudevent("patient.enrolled.v1"), "data.billing_practitioner.credential", "RD"
    )
    fact = accepted(document).event.fact
    assert isinstance(fact, f.PatientEnrolled)
    assert fact.billing_practitioner.credential == "RD"


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("patient.enrolled.v1", "locality"),
        ("condition.recorded.v1", "onset_on"),
        ("care_plan.recorded.v1", "document"),
        ("stay.recorded.v1", "discharged_on"),
    ],
)
def test_null_in_an_optional_member_means_absent(name: str, member: str) -> None:
    said = accepted(changed(cloudevent(name), f"data.{member}", None)).event.fact
    assert getattr(said, member) is None


def test_time_takes_another_programme_and_a_performer_abroad() -> None:
    document = changed(cloudevent(), "data.program", "rpm")
    document["data"]["performer"]["outside_us"] = True
    fact = accepted(document).event.fact
    assert isinstance(fact, f.TimeLogged)
    assert (fact.program, fact.performer) == ("rpm", f.Performer(STAFF.id, STAFF.role, True))


@pytest.mark.parametrize("role", list(f.Role))
def test_every_role_is_known(role: f.Role) -> None:
    fact = accepted(changed(cloudevent(), "data.performer.role", role.value)).event.fact
    assert isinstance(fact, f.TimeLogged)
    assert fact.performer.role is role


def test_instants_are_cut_to_the_whole_second_never_rounded() -> None:
    document = changed(cloudevent(), "data.started_at", "2025-03-05T10:00:00.9999999-05:00")
    document["data"]["ended_at"] = "2025-03-05t15:20:00.1z"
    fact = accepted(document).event.fact
    assert isinstance(fact, f.TimeLogged)
    assert fact.work == f.Clocked(AT - 1260, AT - 60)


def test_an_entry_may_last_exactly_a_day_and_end_exactly_a_day_after_its_event() -> None:
    document = changed(cloudevent(), "data.started_at", "2025-03-05T15:21:00Z")
    document["data"]["ended_at"] = "2025-03-06T15:21:00Z"
    fact = accepted(document).event.fact
    assert isinstance(fact, f.TimeLogged)
    assert fact.work == f.Clocked(AT, AT + 86_400)


def test_an_unclocked_entry_may_be_a_day_long_and_dated_a_day_ahead() -> None:
    data = {**UNCLOCKED, "performed_on": "2025-03-06", "seconds": 86_400}
    fact = accepted(cloudevent(data=data)).event.fact
    assert isinstance(fact, f.TimeLogged)
    assert fact.work == f.Unclocked(date(2025, 3, 6), 86_400)


ENROLLED, CLAIMED, VISIT = "patient.enrolled.v1", "month.claimed.v1", "visit.recorded.v1"
LOGGED, CONDITION = "time.logged.v1", "condition.recorded.v1"


@pytest.mark.parametrize(
    ("name", "path", "value", "reason", "found"),
    [
        (ENROLLED, "effective_on", "2025-02-29", INVALID, "'2025-02-29'"),
        (ENROLLED, "effective_on", "20250101", INVALID, "'20250101'"),
        (ENROLLED, "effective_on", "2025-W10-3", INVALID, "'2025-W10-3'"),
        (ENROLLED, "effective_on", "2025-01-01T00:00:00Z", INVALID, "'2025-01-01T00:00:00Z'"),
        (ENROLLED, "effective_on", "２025-01-01", INVALID, "'２025-01-01'"),
        (ENROLLED, "effective_on", "2009-12-31", RANGE, "'2009-12-31'"),
        (ENROLLED, "effective_on", "2100-01-01", RANGE, "'2100-01-01'"),
        (ENROLLED, "timezone", "Mars/Olympus", Reason.UNKNOWN_TIMEZONE, "'Mars/Olympus'"),
        (ENROLLED, "timezone", "EST5", Reason.UNKNOWN_TIMEZONE, "'EST5'"),
        (ENROLLED, "timezone", "localtime", Reason.UNKNOWN_TIMEZONE, "'localtime'"),
        (ENROLLED, "timezone", "../UTC", Reason.UNKNOWN_TIMEZONE, "'../UTC'"),
        (ENROLLED, "billing_practitioner.npi", "1000000005", INVALID, "'1000000005'"),
        (ENROLLED, "billing_practitioner.npi", "100000000", INVALID, "'100000000'"),
        (ENROLLED, "billing_practitioner.npi", 1000000004, INVALID, "1000000004"),
        (ENROLLED, "billing_practitioner.npi", GONE, MISSING, ""),
        (ENROLLED, "billing_practitioner.credential", "", INVALID, "an empty string"),
        (ENROLLED, "provider_kind", "hospital", INVALID, "'hospital'"),
        (ENROLLED, "provider_kind", None, INVALID, "null"),
        (ENROLLED, "setting", "home", INVALID, "'home'"),
        (ENROLLED, "locality", "1320201", INVALID, "'1320201'"),
        (ENROLLED, "new_patient", "false", INVALID, "'false'"),
        (ENROLLED, "new_patient", 0, INVALID, "0"),
        ("patient.disenrolled.v1", "reason", "", INVALID, "an empty string"),
        ("patient.disenrolled.v1", "reason", "x" * 4097, INVALID, "4097 characters"),
        ("patient.disenrolled.v1", "reason", "a\0b", INVALID, "control characters in it"),
        ("consent.recorded.v1", "method", "Verbal", INVALID, "'Verbal'"),
        ("consent.recorded.v1", "method", "implied", INVALID, "'implied'"),
        (CONDITION, "code", "i10", INVALID, "'i10'"),
        (CONDITION, "code", "hypertension", INVALID, "12 characters"),
        (CONDITION, "chronic", 1, INVALID, "1"),
        (CONDITION, "onset_on", "2005-01-01", RANGE, "'2005-01-01'"),
        ("care_plan.recorded.v1", "action", "drafted", INVALID, "'drafted'"),
        (VISIT, "hcpcs", "9921", INVALID, "'9921'"),
        (VISIT, "hcpcs", "992140", INVALID, "6 characters"),
        (VISIT, "hcpcs", "g0438", INVALID, "'g0438'"),
        (LOGGED, "entry_id", "", INVALID, "an empty string"),
        (LOGGED, "entry_id", "x" * 257, INVALID, "257 characters"),
        (LOGGED, "entry_id", "a\nb", INVALID, "control characters in it"),
        (LOGGED, "performer", "rn1", INVALID, "'rn1'"),
        (LOGGED, "performer", [], INVALID, "an array"),
        (LOGGED, "performer.id", GONE, MISSING, ""),
        (LOGGED, "performer.role", "nurse", INVALID, "'nurse'"),
        (LOGGED, "performer.role", {"x": 1}, INVALID, "an object"),
        (LOGGED, "performer.outside_us", None, INVALID, "null"),
        (LOGGED, "started_at", "2025-03-05T10:00:00", INVALID, "'2025-03-05T10:00:00'"),
        (LOGGED, "started_at", "2025-03-05T10:00Z", INVALID, "'2025-03-05T10:00Z'"),
        (LOGGED, "started_at", "2025-03-05 10:00:00Z", INVALID, "'2025-03-05 10:00:00Z'"),
        (LOGGED, "started_at", "2025-03-05T24:00:00Z", INVALID, "'2025-03-05T24:00:00Z'"),
        (LOGGED, "started_at", "2016-12-31T23:59:60Z", INVALID, "'2016-12-31T23:59:60Z'"),
        (LOGGED, "started_at", "2025-03-05T10:00:00+24:00", INVALID, "'2025-03-05T10:00:00+24:00'"),
        (LOGGED, "started_at", 1741186800, INVALID, "1741186800"),
        (LOGGED, "started_at", "2009-12-31T23:59:59Z", RANGE, "'2009-12-31T23:59:59Z'"),
        (LOGGED, "ended_at", "2100-01-01T00:00:00Z", RANGE, "'2100-01-01T00:00:00Z'"),
        (LOGGED, "ended_at", "2025-03-05T15:00:00Z", BACKWARDS, "2025-03-05T15:00:00Z"),
        (LOGGED, "ended_at", "2025-03-05T15:00:00.9Z", BACKWARDS, "2025-03-05T15:00:00Z"),
        (LOGGED, "ended_at", "2025-03-06T15:00:01Z", LONG, "86401 seconds"),
        ("complexity.assessed.v1", "month", "2025-13", INVALID, "'2025-13'"),
        ("complexity.assessed.v1", "month", "2025-3", INVALID, "'2025-3'"),
        ("complexity.assessed.v1", "month", "2009-12", RANGE, "'2009-12'"),
        ("complexity.assessed.v1", "month", "2100-01", RANGE, "'2100-01'"),
        ("complexity.assessed.v1", "mdm", "extreme", INVALID, "'extreme'"),
        ("service.billed.v1", "through", "2025-02-28", BACKWARDS, "2025-02-28"),
        ("stay.recorded.v1", "kind", "hospice", INVALID, "'hospice'"),
        ("stay.recorded.v1", "discharged_on", "2025-02-28", BACKWARDS, "2025-02-28"),
        (CLAIMED, "codes", [], INVALID, "a list of 0"),
        (CLAIMED, "codes", [{"code": "99490", "units": 1}] * 51, INVALID, "a list of 51"),
        (CLAIMED, "codes", {"99490": 1}, INVALID, "an object"),
        (CLAIMED, "codes.1.units", 0, INVALID, "0"),
        (CLAIMED, "codes.1.units", 1.0, INVALID, "1.0"),
        (CLAIMED, "codes.1.units", True, INVALID, "true"),
        (CLAIMED, "codes.1.units", 10_000, INVALID, "10000"),
        (CLAIMED, "codes.0.code", "9949", INVALID, "'9949'"),
        (CLAIMED, "codes.0.code", GONE, MISSING, ""),
        ("event.retracted.v1", "event_source", "x" * 1025, INVALID, "1025 characters"),
    ],
)
def test_a_bad_member_is_refused_by_name(
    name: str, path: str, value: Any, reason: Reason, found: str
) -> None:
    refused = refusal(changed(cloudevent(name), f"data.{path}", value))
    assert (refused.reason, refused.field) == (reason, f"data.{path}")
    assert refused.sentence.startswith(f"data.{path}")
    assert "expected " in refused.sentence
    assert refused.sentence.endswith(f"; found {found}." if found else ".")


@pytest.mark.parametrize(
    ("data", "reason", "field"),
    [
        ({**CLOCKED, "performed_on": "2025-03-05", "seconds": 60}, INVALID, "performed_on"),
        ({**CLOCKED, "seconds": 60}, INVALID, "seconds"),
        ({**UNCLOCKED, "started_at": "2025-03-05T15:00:00Z"}, INVALID, "performed_on"),
        ({**UNCLOCKED, "seconds": 0}, INVALID, "seconds"),
        ({**UNCLOCKED, "seconds": -1}, INVALID, "seconds"),
        ({**UNCLOCKED, "seconds": 60.0}, INVALID, "seconds"),
        ({**UNCLOCKED, "seconds": True}, INVALID, "seconds"),
        ({**UNCLOCKED, "seconds": 86_401}, LONG, "seconds"),
        ({**UNCLOCKED, "seconds": 10**30}, LONG, "seconds"),
        ({**UNCLOCKED, "performed_on": "2025-03-07"}, AHEAD, "performed_on"),
        (
            {
                **CLOCKED,
                "started_at": "2025-03-06T15:00:00Z",
                "ended_at": "2025-03-06T15:21:01Z",
            },
            AHEAD,
            "ended_at",
        ),
    ],
)
@pytest.mark.parametrize("name", ["time.logged.v1", "time.amended.v1"])
def test_work_in_neither_or_both_forms_too_long_or_ahead_is_refused(
    name: str, data: dict[str, Any], reason: Reason, field: str
) -> None:
    found = refusal(cloudevent(name, data={**data, "reason": "anew"}))
    assert (found.reason, found.field) == (reason, f"data.{field}")


def test_work_without_any_form_says_which_two_there_are() -> None:
    data = {key: value for key, value in CLOCKED.items() if not key.endswith("_at")}
    found = refusal(cloudevent(data=data))
    assert (found.reason, found.field) == (MISSING, "data.started_at")
    assert "either started_at and ended_at, or performed_on and seconds" in found.sentence


def test_a_void_says_nothing_about_when_and_is_never_ahead() -> None:
    assert accepted(cloudevent("time.voided.v1", time="2010-01-01T00:00:00Z"))


def test_the_npi_check_digit_is_the_published_one() -> None:
    """1234567893 is the example of the NPI standard; every other last digit fails."""
    assert scalars.npi("1234567893") == "1234567893"
    for last in "012456789":
        with pytest.raises(ValueError, match="123456789"):
            scalars.npi(f"123456789{last}")


def test_expectations_quote_the_limits_that_are_enforced() -> None:
    assert str(limits.IDENTIFIER_CHARS_MAX) in scalars.IDENTIFIER
    assert accepted(changed(cloudevent(), "data.entry_id", "x" * limits.IDENTIFIER_CHARS_MAX))
    assert accepted(changed(cloudevent(), "id", "é" * limits.IDENTIFIER_CHARS_MAX))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        (ENROLLED, "effective_on", "2010-01-01"),
        (ENROLLED, "effective_on", "2099-12-31"),
        (ENROLLED, "effective_on", "2024-02-29"),
        (ENROLLED, "timezone", "America/Argentina/Buenos_Aires"),
        (ENROLLED, "timezone", "UTC"),
        ("complexity.assessed.v1", "month", "2010-01"),
        ("complexity.assessed.v1", "month", "2099-12"),
        ("service.billed.v1", "through", "2025-03-01"),
        ("patient.disenrolled.v1", "reason", "two\nlines " + "x" * 4086),
        (CONDITION, "code", "S72001A"),
        (CONDITION, "code", "M1A.00X0"),
        (CONDITION, "code", "U07.1"),
        (VISIT, "hcpcs", "0591T"),
        (CLAIMED, "codes", [{"code": "99490", "units": 9_999}] * 50),
        ("event.retracted.v1", "event_source", "x" * 1024),
        (LOGGED, "started_at", "2025-03-04T15:20:00Z"),
        (LOGGED, "ended_at", "2025-03-05T20:30:01.25+05:30"),
    ],
)
def test_what_is_just_inside_its_limits_is_taken(name: str, path: str, value: Any) -> None:
    assert accepted(changed(cloudevent(name), f"data.{path}", value))


@pytest.mark.parametrize("time", ["2010-01-01T00:00:00Z", "2099-12-31T23:59:59.999999999Z"])
def test_the_first_and_the_last_second_are_in_range(time: str) -> None:
    event = accepted(cloudevent("time.voided.v1", time=time, recordedtime=time)).event
    assert event.recorded_at_us is not None
    assert event.time == event.recorded_at_us // 1_000_000
