"""Events in words: every kind of fact has its own, without a person's name."""

from __future__ import annotations

import pytest

from domain import facts as f
from infra.eventstore import open_store
from services.audit.telling import Told, about, told
from services.histories import history_of
from tests.audit.growing import FIRST_US, GrowingLog
from tests.infra.golden_events import FACTS

TICK = f.ClockTicked("2025-03", f.Boundary.AT_RISK)


@pytest.mark.parametrize("name", sorted(f.FACT_OF_TYPE))
def test_every_kind_of_event_has_words(name: str) -> None:
    said = about(FACTS[name], "America/New_York")
    assert said
    assert "\n" not in said


def test_what_we_say_ourselves_has_words_too() -> None:
    assert about(TICK, "UTC") == "our clock passed a boundary of 2025-03: at-risk"


def test_an_identifiers_value_is_not_told() -> None:
    said = about(f.IdentityLinked("urn:mrn", "8675309"), "UTC")
    assert said == "an identifier of urn:mrn means this patient"


def test_the_kinds_are_told_apart() -> None:
    said = [about(fact, "UTC") for fact in FACTS.values()]
    assert len(set(said)) == len(said)


def told_of(data: bytes) -> Told:
    """One claim with these members beside it, as told from the log."""
    claim = b'{"claim_id":"c1","codes":[{"code":"99490","units":1}],"month":"2025-03",'
    claim += b'"submitted_on":"2025-04-02"' + data + b"}"
    head = b'{"specversion":"1.0","id":"e1","source":"urn:x","type":"month.claimed.v1",'
    head += b'"practiceid":"p1","subject":"pt1","time":"2025-04-02T12:00:00Z","data":'
    store = open_store("memory:")
    GrowingLog(store).take([head + claim + b"}"], FIRST_US)
    (found,) = told(history_of(store, "p1", "pt1"), "UTC").values()
    return found


def test_who_entered_an_event_and_why_stand_beside_its_fact() -> None:
    found = told_of(b',"entered_by":"Ada Byron","reason":"month closed"')
    assert (found.by, found.reason) == ("Ada Byron", "month closed")


@pytest.mark.parametrize("member", [b'{"a":1}', b"17", b"null", b"[]", b"1e300", b"true"])
def test_what_a_sender_puts_there_may_be_anything_and_only_text_is_told(member: bytes) -> None:
    found = told_of(b',"entered_by":%b,"reason":%b' % (member, member))
    assert (found.by, found.reason) == (None, None)
