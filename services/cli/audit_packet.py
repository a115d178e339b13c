"""`caretally audit packet`: the evidence of a patient-month as one file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.explain import Practice
from services.cli.frame import FAILED, configured, fail, in_utf8, instant_option, opened, plain
from services.cli.replay import AsOf, Policies, policies

if TYPE_CHECKING:
    from domain.policy import Policy
    from services.audit.packet.batch import Line, Made
    from services.audit.packet.evidence import Asked
    from services.bootstrap import Parts

PatientId = Annotated[
    str | None, typer.Argument(help="The patient's id.", callback=in_utf8, show_default=False)
]
Month = Annotated[str | None, typer.Argument(help="The month, YYYY-MM.", show_default=False)]
Out = Annotated[
    Path, typer.Option("--output", "-o", help="The zip file to write.", show_default=False)
]
Claims = Annotated[
    Path | None,
    typer.Option(
        help="A CSV file practice,patient,month: a packet for each line, in one zip.",
        show_default=False,
    ),
]


def packet(
    output: Out,
    patient: PatientId = None,
    month: Month = None,
    claims: Claims = None,
    practice: Practice = None,
    as_of: AsOf = None,
    policy: Policies = None,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Write the evidence of a patient and month. A page to print, CSV, JSON, raw events, hashes.

    In the order in which a Medicare reviewer reads. The same events give the same bytes. With
    --claims a packet for each line of a list; lines that cannot be answered are named, and the
    exit code is then 1.

    \b
    Example: caretally audit packet pt1 2026-03 -o pt1-2026-03.zip
    """
    as_of_us = instant_option(as_of, "--as-of")
    if (claims is None) == (patient is None or month is None) or (claims and patient):
        fail("expected either PATIENT and MONTH, or --claims FILE")
    settings = configured()
    policy_of = policies(settings, policy or [])
    with opened(settings) as parts:

        def noted(one: Asked) -> None:
            wanted = {"practice": one.practice, "patient": one.patient, "month": one.month}
            written_down(parts, "audit packet", actor, reason, **wanted, as_of=as_of)

        if claims is not None:
            _batch(parts, policy_of, claims, as_of_us, output, noted)
        else:
            assert patient is not None
            assert month is not None
            _one(parts, policy_of, (practice, patient, month, as_of_us), output, noted)


def _one(
    parts: Parts,
    policy_of: Callable[[str], Policy],
    asked: tuple[str | None, str, str, int | None],
    output: Path,
    noted: Callable[[Asked], None],
) -> None:
    from services.audit.packet.batch import came_to_text
    from services.audit.packet.evidence import Asked, gather
    from services.audit.packet.files import packet as packet_of
    from services.histories import Unanswerable

    noted(Asked(*asked))
    try:
        evidence = gather(parts, policy_of, Asked(*asked))
    except Unanswerable as error:
        fail(f"{error}{' (--practice)' if error.field == 'practice' else ''}")
    with _written(output) as file:
        file.write(packet_of(evidence))
    print(plain(f"{output}: {came_to_text(evidence)}"))


def _batch(
    parts: Parts,
    policy_of: Callable[[str], Policy],
    claims: Path,
    as_of_us: int | None,
    output: Path,
    noted: Callable[[Asked], None],
) -> None:
    from services.audit.packet.batch import BadList, listed, refusals, write_packets

    try:
        lines = listed(claims, as_of_us)
    except BadList as error:
        fail(str(error))
    except OSError as error:
        fail(f"{claims}: {error.strerror or error}")
    for line in lines:
        noted(line.asked)
    with _written(output) as file, _progress(lines) as told:
        made = write_packets(file, lines, parts, policy_of, told)
    refused = list(refusals(made))
    for number, sentence in refused:
        print(plain(f"{claims} line {number}: {sentence}"), file=sys.stderr)
    print(plain(f"{output}: {len(made) - len(refused):,} packets, {len(refused):,} refused"))
    if refused:
        raise typer.Exit(FAILED)


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """The file appears whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        fail(f"--output {path}: {error.strerror or error}")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _progress(lines: list[Line]) -> Iterator[Callable[[Made], None]]:
    """A progress bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _made: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("packets", total=len(lines))
        yield lambda _made: bar.advance(task)
