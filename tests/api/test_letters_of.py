"""Whose practice a dead letter is of: nobody is shown one that may be another's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infra.eventstore import open_store
from projections.ports import DeadLetter
from services.bootstrap import Parts
from services.rows.marks import CHANGE, SHEET
from services.translate.marks import FHIR, HL7V2
from services.views.letters import practice_of_letter
from tests.audit.growing import GrowingLog

LETTER = DeadLetter("http", "unknown-type", "type", "", None, None, (), 0)
EVENT = b'{"practiceid":"p1"}'


class Profile:
    """Of a site or a table, as far as it matters here."""

    def __init__(self, practice: str) -> None:
        self.practice = practice


@pytest.fixture
def parts() -> Parts:
    profiles: Any = {"river": Profile("p1"), "lake": Profile("p2")}
    tables: Any = {"timer": Profile("p3")}
    return replace(GrowingLog(open_store("memory:")).parts, sites=profiles, mappings=tables)


@pytest.mark.parametrize(
    ("changes", "practice"),
    [
        ({}, None),
        ({"value": EVENT}, "p1"),
        ({"value": EVENT, "key": b"p1/pt1"}, "p1"),
        ({"value": EVENT, "key": b"p2/pt1"}, None),
        ({"key": b"p%2F1/pt1"}, "p/1"),
        ({"key": b"pt1"}, None),
        ({"value": b"\xff{", "headers": (("ce_practiceid", b"p1"),)}, "p1"),
        ({"value": EVENT, "headers": (("ce-practiceid", b"p2"),)}, None),
        ({"value": b"[" * 100_000}, None),
        ({"value": b'{"practiceid":17}'}, None),
        ({"headers": ((FHIR, b"river"),), "key": b"Patient/1"}, "p1"),
        ({"headers": ((HL7V2, b"lake"),)}, "p2"),
        ({"headers": ((FHIR, b""),)}, None),
        ({"headers": ((FHIR, b"gone"),), "value": EVENT}, None),
        ({"headers": ((SHEET, b"timer"),)}, "p3"),
        ({"headers": ((CHANGE, b""),)}, "p3"),
    ],
)
def test_a_letter_is_of_the_one_practice_that_it_names(
    parts: Parts, changes: dict[str, Any], practice: str | None
) -> None:
    """By its profile, else by event, headers and key, which must agree."""
    assert practice_of_letter(replace(LETTER, **changes), parts) == practice
