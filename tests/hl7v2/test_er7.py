"""The ER7 reader: signs, escapes, repetitions, characters, ends of segments, limits."""

from __future__ import annotations

import pytest

from services.translate.hl7v2.batches import is_single, messages_in
from services.translate.hl7v2.er7 import read_message
from services.wire.limits import MESSAGE_BYTES_MAX
from services.wire.refusal import Refused
from tests.hl7v2.sent import er7, msh, pid

HEAD = "MSH|^~\\&|EHR|RIVER|||20250310||ADT^A01|7|P|2.5"


def test_fields_components_repetitions_and_subcomponents_count_from_one() -> None:
    message = read_message(er7(HEAD, "PID|1||a&b^c~d^e&f&g^h||"))
    (found,) = message.all("PID")
    assert (found.get(3), found.get(3, 1, 2), found.get(3, 2)) == ("a", "b", "c")
    last = found.repetitions(3)[1]
    assert [found.component(last, 2, sub) for sub in (1, 2, 3, 4)] == ["e", "f", "g", ""]
    assert (found.get(3, 9), found.get(99), found.repetitions(2)) == ("", "", [])
    assert message.event == ("ADT", "A01")


def test_msh_counts_its_separator_as_the_first_field() -> None:
    header = read_message(er7(HEAD)).msh
    assert [header.raw(n) for n in (1, 2, 3, 4, 10, 12)] == [
        "|", "^~\\&", "EHR", "RIVER", "7", "2.5",
    ]  # fmt: skip


def test_other_delimiters_are_taken_from_the_message() -> None:
    message = read_message(b"MSH$%*!@$EHR$$$$$$ADT%A04\rPID$$$a@b%!S!c*d")
    (found,) = message.all("PID")
    assert (found.get(3, 1, 2), found.get(3, 2), found.repetitions(3)[1]) == ("b", "%c", "d")
    assert message.event == ("ADT", "A04")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("\\P\\", "#"),
        ("\\X41\\\\X42C3A9\\", "AB\u00e9"),
        ("one\\.br\\two\\.sp\\three\\.sp+2\\four", "one\ntwo\nthree\n\nfour"),
        ("\\H\\loud\\N\\ and \\.in+4\\in", "loud and in"),
        ("\\Zlocal\\ \\X4\\ \\Q", "\\Zlocal\\ \\X4\\ \\Q"),
        ("\\", "\\"),
        ("\\\\", "\\\\"),
        ("C:\\Foo\\F\\", "C:\\Foo|"),
    ],
)
def test_escapes(raw: str, text: str) -> None:
    message = read_message(er7(HEAD.replace("~\\&", "~\\&#"), f"NTE|1||{raw}|x"))
    assert message.all("NTE")[0].get(3) == text


def test_without_a_truncation_sign_its_escape_means_nothing() -> None:
    assert read_message(er7(HEAD, "NTE|1||\\P\\")).all("NTE")[0].get(3) == "\\P\\"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\r\n\r\n"])
def test_segments_may_end_with_cr_lf_or_both(end: str) -> None:
    value = end.join([HEAD, "PID|1", "PV1|1"]) + end
    assert [each.name for each in read_message(value.encode()).segments] == ["MSH", "PID", "PV1"]


def test_a_line_feed_inside_a_text_stays_where_segments_end_with_cr() -> None:
    assert read_message(er7(HEAD, "NTE|1||a\nb")).all("NTE")[0].get(3) == "a\nb"


def test_the_frame_of_mllp_is_taken_off() -> None:
    assert read_message(b"\x0b" + er7(HEAD, pid()) + b"\x1c\r").first("PID") is not None


@pytest.mark.parametrize(
    ("charset", "value"),
    [
        ("", "J\u00f6rg".encode()),
        ("UNICODE UTF-8", "J\u00f6rg".encode()),
        ("UNICODE", "J\u00f6rg".encode()),
        ("8859/1", "J\u00f6rg".encode("latin-1")),
        ("8859/15~UNICODE", "J\u00f6rg".encode("iso8859-15")),
    ],
)
def test_characters_are_read_as_msh_18_says(charset: str, value: bytes) -> None:
    raw = f"{msh(charset=charset)}\rPID|||1||".encode() + value + b"\r"
    message = read_message(raw)
    assert message.all("PID")[0].get(5) == "J\u00f6rg"


def test_hexadecimal_bytes_are_of_the_same_characters() -> None:
    message = read_message(er7(msh(charset="8859/1"), "NTE|1||J\\XF6\\rg"))
    assert message.all("NTE")[0].get(3) == "J\u00f6rg"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b"", "MSH"),
        (b"MSH", "MSH"),
        (b"MSH|", "MSH"),
        (b"PID|1\rMSH|^~\\&|", "MSH"),
        (b"MSH||EHR|", "MSH-2"),
        (b"MSHA^~\\&|", "MSH-2"),
        (b"MSH|^~\\\\&|", "MSH-2"),
        (b"MSH|^~\\&#!?|", "MSH-2"),
        (b"MSH|^ ~|", "MSH-2"),
        (er7(HEAD, "pid|1"), "segment 2"),
        (er7(HEAD, "PID^1"), "segment 2"),
        (er7(HEAD, "PID|1", HEAD), "segment 3"),
        (er7(HEAD, "PID" + "|" * 1001), "segment 2"),
        (er7(HEAD, *["NTE|1"] * 10_000), ""),
        (er7(msh(charset="ISO IR87")), "MSH-18"),
        (er7(msh(charset="ASCII"), "PID|||\u00e9"), "MSH-18"),
        (er7(HEAD) + b"PID|||\xff", "MSH-18"),
        (er7(HEAD) + b"NTE|1||" + b"x" * MESSAGE_BYTES_MAX, ""),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_is(value: bytes, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_message(value)
    assert refusal.value.rejection.field == field
    assert refusal.value.rejection.reason in ("not-hl7v2", "too-large")


def test_too_many_repetitions_are_refused_where_they_are_asked_for() -> None:
    message = read_message(er7(HEAD, "PID|||" + "~" * 1000))
    with pytest.raises(Refused, match="PID-3"):
        message.all("PID")[0].repetitions(3)


def test_a_batch_is_its_messages() -> None:
    one, two = er7(msh(control="1"), pid()), er7(msh(control="2"), pid())
    batch = b"FHS|^~\\&|x\rBHS|^~\\&|x\r" + one + two + b"BTS|2\rFTS|1\r"
    assert list(messages_in(batch)) == [one.strip(), two.strip()]
    assert list(messages_in(b"\x0b" + one + b"\x1c\r\x0b" + two + b"\x1c\r")) == [
        one.strip(),
        two.strip(),
    ]
    assert (is_single(one), is_single(batch), is_single(one + two)) == (True, False, False)
    assert list(messages_in(b"lost\r" + one)) == [b"lost", one.strip()]


@pytest.mark.parametrize(("said", "pieces"), [("2", 2), ("", 2), ("x", 2), ("3", 3), ("1", 3)])
def test_a_batch_that_lacks_messages_says_so(said: str, pieces: int) -> None:
    one, two = er7(msh(control="1"), pid()), er7(msh(control="2"), pid())
    batch = b"BHS|^~\\&|x\r" + one + two + f"BTS|{said}\r".encode()
    found = list(messages_in(batch))
    assert (len(found), found[2:]) == (pieces, [f"BTS|{said}".encode()] * (pieces - 2))
