"""Signed notes, keys and checkpoints in the forms that transparency tools share."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from infra.transparency import (
    NoteError,
    Signer,
    checkpoint_at,
    checkpoint_of,
    read_signer,
    text_of,
    verifier_of,
    write_keys,
)
from infra.transparency.notes import signer_of

# The example of Go's golang.org/x/mod/sumdb/note: a key pair and a note signed by it.
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_a_note_of_the_go_library_is_opened_and_made() -> None:
    """Ed25519 signs one text in one way: our note is the library's, byte for byte."""
    note = f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n"
    assert verifier_of(GO_PUBLIC).open(note) == GO_TEXT
    assert signer_of(GO_PRIVATE).sign(GO_TEXT) == note
    assert signer_of(GO_PRIVATE).verifier.text() == GO_PUBLIC


def test_a_changed_note_is_refused() -> None:
    signer = Signer.new("clinic.example/log")
    note = signer.sign("one\ntwo\n")
    assert signer.verifier.open(note) == "one\ntwo\n"
    for place in range(len(note)):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        with pytest.raises(NoteError):
            signer.verifier.open(changed)


def test_a_note_signed_by_somebody_else_is_refused_even_under_our_name() -> None:
    ours, other = Signer.new("log"), Signer.new("log")
    with pytest.raises(NoteError, match="not signed by log"):
        ours.verifier.open(other.sign("text\n"))


def test_keys_are_written_once_and_only_their_owner_reads_the_private_one(tmp_path: Path) -> None:
    signer = Signer.new("clinic.example/log")
    path = tmp_path / "keys" / "log.key"
    public = write_keys(path, signer)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_signer(path) == signer
    assert verifier_of(public.read_text()) == signer.verifier
    secret = signer.text().split("+", 4)[4]  # base64, in which a plus may stand
    assert secret not in repr(signer)
    with pytest.raises(FileExistsError):
        write_keys(path, Signer.new("another"))
    assert read_signer(path) == signer


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    write_keys(path, Signer.new("log"))
    path.chmod(0o640)
    with pytest.raises(NoteError, match="expected mode 0600"):
        read_signer(path)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\n", "tab\t"])
def test_a_name_that_a_note_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteError, match="expected text without blanks"):
        Signer.new(name)


@pytest.mark.parametrize(
    "text", ["", "a+b", GO_PRIVATE, "x+00000000+AAAA", GO_PUBLIC[:-4] + "AAAA", GO_PUBLIC[:-1]]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        verifier_of(text)


def test_a_checkpoint_says_what_it_was_made_of() -> None:
    made = checkpoint_at("log", 17, b"\x01" * 32, 1_741_190_400_000_000, 3, b"\x02" * 32)
    assert made.text().split("\n") == [
        "log",
        "17",
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "time 2025-03-05T16:00:00.000000Z",
        "access 3 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        "",
    ]
    assert checkpoint_of(made.text()) == made
    empty = checkpoint_at("log", 0, b"\x01" * 32, 0, 0, b"")
    assert checkpoint_of(empty.text()) == empty


@pytest.mark.parametrize(
    ("line", "text"), [(1, "-1"), (1, "017"), (2, "AAAA"), (3, "at noon"), (4, "access x"), (4, "")]
)
def test_what_is_no_checkpoint_is_refused(line: int, text: str) -> None:
    lines = checkpoint_at("log", 17, b"\x01" * 32, 0, 3, b"\x02" * 32).text().split("\n")
    lines[line] = text
    with pytest.raises(NoteError):
        checkpoint_of("\n".join(lines))


@pytest.mark.parametrize("text", ["", "text\n", "text\n\n", "text\n\nlog AAAA\n", "a\n\n— log A"])
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        text_of(text)
