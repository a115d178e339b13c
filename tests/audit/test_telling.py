"""Events in words: every kind of fact has its own, without a person's name."""

from __future__ import annotations

import pytest

from domain import facts as f
from services.audit.telling import about
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
