"""What stands in a cell: read to the letter, or refused with the column and what is wrong."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rejections import Reason
from services.rows import formats
from services.rows.cells import cell, day, exact, instant, number, seconds
from services.rows.mapping import Sheet
from services.translate.outcome import Review
from tests.thoroughness import examples

ZONE = "America/New_York"


def refusal(read: Any, *args: Any) -> tuple[Reason, str]:
    with pytest.raises(Review) as caught:
        read(*args)
    rejection = caught.value.rejection
    assert rejection.field == "C"
    assert rejection.sentence.startswith("C: ")
    return rejection.reason, rejection.sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  a ", "a"),
        ("\xa0a\xa0", "a"),
        (None, ""),
        ('="00123"', "00123"),
        (True, "true"),
        (7, "7"),
        ("=", None),
    ],
)
def test_a_cell_is_its_text(value: Any, text: str | None) -> None:
    if text is None:
        refusal(cell, {"C": value}, "C")
    else:
        assert cell({"C": value}, "C") == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("=SUM(A1:A9)", "a formula"),
        ("#REF!", "formula that failed"),
        ("#n/a", "formula that failed"),
        ("########", "too narrow"),
        ("caf\ufffd", "encoding"),
        ([1], "a list or an object"),
    ],
)
def test_what_a_spreadsheet_spoiled_is_told_by_name(value: Any, words: str) -> None:
    reason, sentence = refusal(cell, {"C": value}, "C")
    assert reason is Reason.INVALID_MEMBER
    assert words in sentence


def test_a_number_that_lost_its_digits_is_no_identifier() -> None:
    assert "digits" in refusal(exact, "1.23457E+12", "C")[1]
    assert exact("12E4", "C") == "12E4"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("3/5/2025", "%m/%d/%Y"),
        ("03/05/25", "%m/%d/%y"),
        ("2025-03-05", "iso"),
        ("5. März 2025", None),
        ("45721", "excel"),
        ("45721.99999", "excel"),
        ("20152", "epoch-days"),
        ("3/5/2025 14:07", "%m/%d/%Y %H:%M"),
    ],
)
def test_days(text: str, form: str | None) -> None:
    if form is None:
        refusal(day, text, "C", ["%m/%d/%Y"])
    else:
        assert day(text, "C", ["%d.%m.%Y", form]).isoformat() in ("2025-03-05", "2025-03-06")


def test_excel_s_number_of_a_day_is_named_where_the_mapping_did_not_expect_it() -> None:
    assert "Excel" in refusal(day, "45721", "C", ["%m/%d/%Y"])[1]
    assert "Excel" not in refusal(day, "457210", "C", ["%m/%d/%Y"])[1]


@pytest.mark.parametrize(
    ("text", "form", "written"),
    [
        ("3/5/2025 2:07 PM", "%m/%d/%Y %I:%M %p", "2025-03-05T14:07:00-05:00"),
        ("2025-07-05 14:07", "iso", "2025-07-05T14:07:00-04:00"),
        ("2025-03-05T14:07:30Z", "iso", "2025-03-05T14:07:30+00:00"),
        ("45721.5", "excel", "2025-03-05T12:00:00-05:00"),
        ("1741183650123", "epoch-ms", "2025-03-05T14:07:30.123000+00:00"),
        ("1741183650000000", "wall-us", "2025-03-05T14:07:30-05:00"),
    ],
)
def test_instants_have_the_offset_of_their_zone(text: str, form: str, written: str) -> None:
    assert instant(text, "C", [form], ZONE).isoformat() == written


def test_an_hour_that_the_clock_has_twice_or_never_is_not_chosen_for_anybody() -> None:
    twice = refusal(instant, "2025-11-02 01:30", "C", ["iso"], ZONE)
    never = refusal(instant, "2025-03-09 02:30", "C", ["iso"], ZONE)
    assert (twice[0], never[0]) == (Reason.AMBIGUOUS, Reason.INVALID_MEMBER)
    assert instant("2025-11-02 01:30-05:00", "C", ["iso"], ZONE).isoformat().endswith("-05:00")


@pytest.mark.parametrize(
    ("text", "unit", "wanted"),
    [
        ("90", "seconds", 90),
        ("7.5", "minutes", 450),
        ("1.25", "hours", 4500),
        ("1:05", "h:mm", 3900),
        ("1:05", "m:ss", 65),
        ("0:05:09", "h:mm:ss", 309),
        ("1h 20m", "1h 20m", 4800),
        ("15 min", "1h 20m", 900),
        ("2 hours", "1h 20m", 7200),
        ("7.33", "minutes", None),
        ("1:75", "h:mm", None),
        ("1:05", "minutes", None),
        ("1,200", "seconds", None),
        ("-5", "minutes", None),
        ("", "1h 20m", None),
        ("5", "1h 20m", None),
        ("1e3", "seconds", None),
        ("١٢", "minutes", None),
    ],
)
def test_lengths_come_to_whole_seconds_or_are_refused(
    text: str, unit: Any, wanted: int | None
) -> None:
    if wanted is None:
        assert refusal(seconds, text, "C", unit, Sheet())[0] is Reason.INVALID_MEMBER
    else:
        assert seconds(text, "C", unit, Sheet()) == wanted


def test_signs_of_numbers_mean_what_the_mapping_says() -> None:
    american, german = Sheet(thousands=","), Sheet(decimal=",", thousands=".")
    assert number("1,200.5", "C", "x", american) == number("1.200,5", "C", "x", german)
    for text, sheet in (("1.200,5", american), ("1,20", american), ("1.5", Sheet(decimal=","))):
        assert "decimal" in refusal(number, text, "C", "x", sheet)[1]


@settings(max_examples=examples(300))
@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_is_read_as_it_is_written(on: date) -> None:
    serial = str((on - date(1899, 12, 30)).days)
    for text, form in ((on.isoformat(), "iso"), (on.strftime("%m/%d/%Y"), "%m/%d/%Y")):
        assert day(text, "C", [form]) == on
    assert day(serial, "C", ["excel"]) == on


@settings(max_examples=examples(500))
@given(st.text(max_size=30))
def test_no_text_is_read_otherwise_than_as_a_value_or_a_review(text: str) -> None:
    forms = ["%m/%d/%Y %H:%M", *sorted(formats.INSTANT_FORMS)]
    units = ("seconds", "minutes", "hours", "h:mm", "h:mm:ss", "m:ss", "1h 20m")
    reads: list[Any] = [
        lambda: cell({"C": text}, "C"),
        lambda: instant(text, "C", forms, ZONE),
        lambda: day(text, "C", sorted(formats.DAY_FORMS)),
        *[lambda unit=unit: seconds(text, "C", unit, Sheet()) for unit in units],
    ]
    for read in reads:
        with suppress(Review):
            read()
