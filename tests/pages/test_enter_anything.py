"""Whatever is put into a form: it is stored as the contract wants it, or said to be wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.codec import decode_event
from infra.eventstore import open_store
from services.access import Role
from services.pages.enter.blanks import BLANKS
from services.pages.enter.fields import Field
from tests.audit.growing import GrowingLog
from tests.pages.asked import Pages, person
from tests.pages.entering import FORMS, lived
from tests.services.command import Command, command
from tests.thoroughness import examples

__all__ = ["command"]

LIKELY = {
    "day": ["2025-03-05", "2025-03-09", "2025-11-02", "2010-01-01", "2099-12-31", "2025-02-30"],
    "month": ["2025-03", "2025-13", "1999-01"],
    "clock": ["00:00", "0915", "09:15:59", "02:30", "24:00", "01:30-05:00", "9"],
    "length": ["1", "0", "0:01", "1440", "1441", "999999", "5:60", "-3"],
    "note": ["why", " ", "x" * 5_000],
    "text": [
        "rn1",
        "1000000004",
        "1000000005",
        "I10",
        "99214",
        "America/New_York",
        "MD",
        "x" * 300,
    ],
    "flag": ["yes", ""],
    "kept": ["t1", "e1", ""],
}


def texts(field: Field) -> st.SearchStrategy[str]:
    likely = [*LIKELY.get(field.kind, []), *field.choices]
    anything = st.text(st.characters(codec="utf-8"), max_size=12)
    return st.one_of(st.sampled_from(likely), st.just(""), anything)


@st.composite
def forms(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    blank = BLANKS[draw(st.sampled_from(sorted(BLANKS)))]
    sent = {field.name: draw(texts(field)) for field in blank.fields}
    act = draw(st.one_of(st.uuids().map(lambda each: each.hex), st.text("0123456789x", max_size=4)))
    return blank.name, sent | {"act": act, "revision": draw(st.sampled_from(["", "x y"]))}


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield lived(GrowingLog(store))
    store.close()


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(forms())
def test_every_form_is_answered_and_only_what_decodes_is_in_the_log(
    log: GrowingLog, sent: tuple[str, dict[str, str]]
) -> None:
    form, data = sent
    before = log.store.head()
    pages = Pages(log.parts, person(Role.PRACTITIONER, "p1"))
    answer = asyncio.run(pages.post(f"{FORMS}/{form}", data=data))
    assert answer.status_code in (200, 303, 404, 409, 422), answer.text
    new = log.store.log(before, 10)
    assert len(new) == (answer.status_code == 303)
    for each in new:
        assert decode_event(each).patient_id == "pt1"
    if answer.status_code == 422:
        assert "Nothing was saved" in answer.text or "not one of ours" in answer.text
