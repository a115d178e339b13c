"""The short form of `python -m tests.hl7v2.fuzz`, and that it sees what must not happen."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.translate.hl7v2 import charges, problems
from services.translate.hl7v2.er7 import read_message
from services.wire.refusal import Refused
from tests.hl7v2.fuzz import Fault, Fuzz
from tests.hl7v2.sent import msh
from tests.thoroughness import examples


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_messages_end_without_an_exception_and_without_minutes_made_up(seed: int) -> None:
    fuzz = Fuzz(seed)
    fuzz.run(3_000)
    assert fuzz.figures["messages"] == 3_000
    assert min(fuzz.figures[name] for name in ("events", "entries", "letters", "ignored")) > 20


def test_the_fuzz_sees_an_exception_behind_the_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise KeyError("x")

    monkeypatch.setattr(problems, "_problem", broken)
    with pytest.raises(Fault, match="a message cannot be read"):
        Fuzz(1).run(1_000)


def test_the_fuzz_sees_minutes_that_are_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    good = charges._work

    def padded(*given: Any) -> Any:
        drafts = good(*given)
        if "seconds" in drafts[0].data:
            drafts[0].data["seconds"] += 60
        return drafts

    monkeypatch.setattr(charges, "_work", padded)
    with pytest.raises(Fault, match="minutes that no message told"):
        Fuzz(1).run(5_000)


TEXT = st.text(st.sampled_from("|^~\\&#\r\n\x0bMSHPIDX41.br 0aé"), max_size=60)


@given(TEXT, st.sampled_from(["utf-8", "iso8859-1", "ascii"]))
@example("\\X\\", "utf-8")
@settings(max_examples=examples(300), deadline=None)
def test_whatever_text_is_read_to_the_end_or_refused(text: str, charset: str) -> None:
    for value in (text.encode(), f"{msh()}\rPID|{text}".encode()):
        with suppress(Refused):
            for segment in read_message(value, charset).segments:
                for field in range(1, 12):
                    for repetition in segment.repetitions(field):
                        assert isinstance(segment.component(repetition, 2, 2), str)
                    assert isinstance(segment.text(segment.raw(field)), str)
