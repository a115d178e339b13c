"""Our ER7 reader beside python-hl7: every field, repetition and component of every sample."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hl7
import pytest

from infra.eventstore import open_store
from services.translate.hl7v2.er7 import Message, read_message
from services.translate.hl7v2.segments import Segment
from services.wire.refusal import Refused
from tests.hl7v2.samples import foreign, needs_foreign
from tests.hl7v2.sent import (
    Sent,
    a40,
    adt,
    delivery,
    dft,
    er7,
    ft1,
    mdm,
    msh,
    ppr,
    prb,
    site,
    txa,
)

OURS = {
    "adt": adt("A01"),
    "ppr": ppr("PC1", prb(), prb(number="6", code="E11.9^x^I10C^38341003^y^SNM")),
    "dft": dft(ft1(), ft1("c2", "CCMMIN", "", on="20250305100000^20250305102030")),
    "mdm": mdm("T02", txa()),
    "a40": a40("new", "old"),
    "signs": b"MSH$%*!@$EHR$RIVER$$$20250310$$ADT%A04$9$P$2.3\rPID$$$a@b%!S!c*d%e@f",
    "escapes": er7(msh(), "NTE|1||a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\X41\\\\.br\\x|y~z^&w"),
}
SAMPLES = {**OURS, **foreign()}


def read_by_both(value: bytes) -> tuple[Message, Any] | None:
    """The message by our reader and by the other; None where ours refuses it."""
    try:
        ours = read_message(value)
    except Refused:
        return None
    lines = value.decode(ours.charset).replace("\r\n", "\r").replace("\n", "\r")
    return ours, hl7.parse(lines.strip())


def parts(segment: Segment) -> list[Any]:
    """A segment as lists: fields of repetitions of components of subcomponents, as written."""
    sign = segment.delimiters
    found = []
    number = 2 if segment.name == "MSH" else 0
    while (number := number + 1) < 120:
        raw = segment.raw(number)
        found.append(
            [
                [each.split(sign.subcomponent) for each in repetition.split(sign.component)]
                for repetition in raw.split(sign.repetition)
            ]
        )
    while found and found[-1] == [[[""]]]:
        found.pop()
    return found


def theirs_as_lists(segment: Any) -> list[Any]:
    found = []
    for field in list(segment)[3 if str(segment[0]) == "MSH" else 1 :]:
        repetitions = []
        for repetition in field if isinstance(field, hl7.Field) else [field]:
            components = repetition if isinstance(repetition, hl7.Repetition) else [repetition]
            lists = [
                [str(s) for s in each] if isinstance(each, hl7.Component) else [str(each)]
                for each in components
            ]
            repetitions.append(lists)
        found.append(repetitions or [[[""]]])
    while found and found[-1] in ([[[""]]], [[[]]]):
        found.pop()
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_both_readers_take_a_message_apart_alike(name: str) -> None:
    both = read_by_both(SAMPLES[name])
    if both is None:
        pytest.skip("our reader refuses it: two escape signs in MSH-2")
    ours, theirs = both
    assert [each.name for each in ours.segments] == [str(each[0]) for each in theirs]
    for one, other in zip(ours.segments, theirs, strict=True):
        assert parts(one) == theirs_as_lists(other)


@pytest.mark.parametrize("name", SAMPLES)
def test_both_readers_mean_the_same_text(name: str) -> None:
    """Escapes resolved. Of the other reader's own answers: `_` for what is only for the eye, and
    another form for line breaks, so those are left out."""
    both = read_by_both(SAMPLES[name])
    if both is None:
        return
    ours, theirs = both
    for segment in ours.segments[1:]:
        for field in range(1, 60):
            raw = segment.raw(field)
            if "\\" in raw and not any(sign in raw for sign in ("\\.", "\\H", "\\N", "\\Z")):
                assert segment.text(raw) == theirs.unescape(raw)


def as_if_sent_now(value: bytes, number: int) -> bytes:
    """The message with a time, a control id and a mode of ours: most are of 2006, and share ids."""
    head, _, rest = value.lstrip().partition(b"\r" if b"\r" in value else b"\n")
    fields = head.split(b"|")
    if len(fields) > 11:
        fields[6], fields[9], fields[10] = b"20250310170000", b"n%d" % number, b"P"
    return b"|".join(fields) + b"\r" + rest


@needs_foreign
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (False, {"ignored": 102, "review": 59, "events": 1}),
        (True, {"ignored": 120, "review": 37, "events": 5}),
    ],
)
def test_every_foreign_message_has_one_end(now: bool, expected: dict[str, int]) -> None:
    """Events, counted as nothing of ours, or in review with a reason: nothing else, none lost."""
    profile = site(
        senders=[],
        processing=["P", "T", "D"],
        patient={"subject": "id"},
        conditions={"systems": ["I10", "ICD-10-CM"]},
    )
    ends: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    told = Sent(open_store("memory:"), profile)
    for number, value in enumerate(foreign().values()):
        given = as_if_sent_now(value, number) if now else value
        outcome = told.ingest.take([delivery(given)])
        (result,) = outcome.results
        if result is not None:
            ends["review"] += 1
            reasons[f"{result.reason} {result.field}"] += 1
            assert result.sentence
        elif outcome.accepted or outcome.duplicates:
            ends["events"] += 1
        else:
            assert outcome.ignored
            ends["ignored"] += 1
    assert sum(ends.values()) == len(foreign()) == 162
    assert len(told.letters()) == ends["review"]
    assert ends == expected, reasons
