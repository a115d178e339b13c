"""`caretally replay`: event files to assessments, without a store."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.frame import (
    FAILED,
    configured,
    fail,
    in_utf8,
    instant_option,
    month_option,
    print_lines,
    to_json,
)

if TYPE_CHECKING:
    from domain.policy import Policy
    from infra.settings import Settings
    from services.replay import Replay

Files = Annotated[
    list[Path], typer.Argument(help="JSON Lines files, plain or gzip", show_default=False)
]
AsOf = Annotated[str | None, typer.Option(help="Only what was recorded by this instant.")]
MonthText = Annotated[str | None, typer.Option(help="Only this month (YYYY-MM).")]
PatientId = Annotated[str | None, typer.Option(help="Only this patient.", callback=in_utf8)]
PracticeId = Annotated[str | None, typer.Option(help="Only this practice.", callback=in_utf8)]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="KEY=VALUE", help="Choose a policy; may be repeated."),
]
AllMonths = Annotated[
    bool, typer.Option("--all-months", help="Also the enrolled months in which nothing happened.")
]


def replay(
    files: Files,
    as_of: AsOf = None,
    month: MonthText = None,
    patient: PatientId = None,
    practice: PracticeId = None,
    policy: Policies = None,
    all_months: AllMonths = False,
) -> None:
    """Fold event files in memory to assessments. Printed one JSON object a line.

    Sorted by practice, patient and month. Lines that cannot be taken go to standard error as
    JSON, and the exit code is then 1.

    \b
    Example: caretally replay march.jsonl.gz --as-of 2026-04-01T00:00:00Z --policy qp=true
    """
    # Nothing here is ever garbage before the process ends; looking for it costs a third.
    gc.disable()
    from infra.clock import system_clock
    from services.bootstrap import rule_book
    from services.replay import Replay, Wanted

    as_of_us, month = instant_option(as_of, "--as-of"), month_option(month)
    settings = configured()
    policy_of = policies(settings, policy or [])
    through = (as_of_us or system_clock()) // 1_000_000 if all_months else None
    book = rule_book(settings)
    replayed = Replay(as_of_us)
    faults = _read(replayed, files)
    from infra.answers import assessment_json

    wanted = Wanted(practice, patient, month, through)
    print_lines(map(assessment_json, replayed.answers(book, policy_of, wanted)))
    if faults:
        raise typer.Exit(FAILED)


def policies(settings: Settings, pairs: list[str]) -> Callable[[str], Policy]:
    """Each practice's policy from the settings, with the command line's choices over it."""
    from domain.policy import Policy
    from infra.policies import PolicyError, parse_policy

    try:
        parse_policy(pairs, Policy())
    except PolicyError as error:
        fail(f"--policy {error}")
    by_practice: dict[str, Policy] = {}

    def policy_of(practice: str) -> Policy:
        if practice not in by_practice:
            by_practice[practice] = parse_policy(pairs, settings.policy_of(practice))
        return by_practice[practice]

    return policy_of


def _read(replayed: Replay, files: list[Path]) -> int:
    """Fold all files; the number of lines that were refused, each told on standard error."""
    from services.doors.lines import DamagedFile

    refused = 0
    for path in files:
        try:
            for fault in replayed.read(path):
                refused += 1
                said: dict[str, Any] = asdict(fault.rejection)
                line = {"file": fault.file, "line": fault.line, "reason": said["reason"]}
                rest = {"field": said["field"], "sentence": said["sentence"]}
                sys.stderr.buffer.write(to_json(line | rest) + b"\n")
        except OSError as error:
            fail(f"{path}: {error.strerror or error}")
        except DamagedFile as error:
            fail(str(error))
    sys.stderr.flush()
    return refused
