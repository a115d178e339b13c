"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, and somebody should look at it."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. `advice` says what to do; empty where nothing is to be done."""

    check: str
    state: State
    finding: str
    advice: str = ""


def ok(check: str, finding: str) -> Finding:
    return Finding(check, State.OK, finding)


def warn(check: str, finding: str, advice: str) -> Finding:
    return Finding(check, State.WARN, finding, advice)


def fail(check: str, finding: str, advice: str) -> Finding:
    return Finding(check, State.FAIL, finding, advice)


def in_one_line(error: BaseException) -> str:
    """The error's class and its own words, without line ends."""
    name = type(error).__name__
    words = " ".join(str(error).split()).removeprefix(f"{name}: ")
    return f"{name}: {words}"[:300]
