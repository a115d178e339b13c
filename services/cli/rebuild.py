"""`caretally rebuild`: the month assessments made anew beside the live ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.frame import FAILED, fail, opened, plain, print_json, print_lines, to_json

if TYPE_CHECKING:
    from projections.rebuilding import Difference
    from projections.rebuilding import Progress as Step
    from services.bootstrap import Parts
    from services.rebuilding import Told

SHOWN_MAX = 20

Check = Annotated[
    bool, typer.Option("--check", help="Compare only; exit 1 where a live row is not right.")
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print every differing patient-month as JSON, then a summary."),
]


def rebuild(check: Check = False, as_json: AsJson = False) -> None:
    """Make the read models anew from the log, compare them with the live ones, and switch.

    Events go on coming in meanwhile, and readers see the old answers until they see the new ones.
    New rules, imported fees and changed policies reach every month this way. Killed at any point
    and run again, it goes on where it was. No alert is delivered by it.

    \b
    Example: caretally rebuild --check --json
    """
    with opened() as parts:
        summary, differences = _compared(parts) if check else _rebuilt(parts)
        if as_json:
            print_lines(to_json(_line(d)) for d in differences)
            print_json(summary)
        else:
            _tell(summary, differences)
    if check and summary["differences"]:
        raise typer.Exit(FAILED)


Result = tuple[dict[str, Any], list["Difference"]]


def _compared(parts: Parts) -> Result:
    from infra.eventstore.rebuilding import open_rebuilding
    from services.rebuilding import Remaker, checked

    _calm()
    remaker = Remaker(parts.book, parts.settings.policy_of)
    with _progress(parts) as told:
        found = list(checked(open_rebuilding(parts.store), remaker, told))
    return _summary("compared", parts, found), found


def _rebuilt(parts: Parts) -> Result:
    from infra.eventstore.rebuilding import open_rebuilding
    from projections.rebuilding import RebuildTaken
    from services.rebuilding import Remaker, rebuild

    _calm()
    port = open_rebuilding(parts.store)
    before = port.making()
    remaker = Remaker(parts.book, parts.settings.policy_of)
    try:
        with _progress(parts) as told:
            resumed = rebuild(port, remaker, parts.making, told)
        found = list(port.differences())
        projections = _projections(parts)
    except RebuildTaken as error:
        fail(f"{error}; let it finish, or run this again", FAILED)
    summary = _summary("switched", parts, found)
    more = {"resumed": resumed, "new_making": before != parts.making, "projections": projections}
    return {**summary, **more}, found


def _projections(parts: Parts) -> dict[str, int | None]:
    """Make anew what crosses patients; how many rows of each differed."""
    from infra.eventstore.projected import open_projected
    from services.projecting.remaking import remake

    projected = open_projected(parts.store)
    remade = [
        remake(parts.store, projected, projection, parts.making)
        for projection in parts.projections()
    ]
    return {one.name: one.differing for one in remade if one is not None}


def _calm() -> None:
    from services.bootstrap import calm_collector

    calm_collector()


def _summary(state: str, parts: Parts, found: Iterable[Difference]) -> dict[str, Any]:
    reasons = Counter(_reason(d) for d in found)
    counts = parts.store.counts()
    return {
        "state": state,
        "patients": counts["patients"],
        "assessments": counts["assessments"],
        "differences": sum(reasons.values()),
        "reasons": dict(sorted(reasons.items())),
    }


def _reason(difference: Difference) -> str:
    return ",".join(difference.members) or difference.kind.value


def _line(difference: Difference) -> dict[str, Any]:
    return {
        "practice_id": difference.practice_id,
        "patient_id": difference.patient_id,
        "month": difference.month,
        "kind": difference.kind.value,
        "members": list(difference.members),
    }


def _tell(summary: dict[str, Any], found: list[Difference]) -> None:
    for d in found[:SHOWN_MAX]:
        what = f"{d.kind.value} {', '.join(d.members)}".strip()
        print(f"{plain(d.practice_id)}/{plain(d.patient_id)} {d.month}: {what}")
    if len(found) > SHOWN_MAX:
        print(f"… and {len(found) - SHOWN_MAX:,} more: see --json")
    done = "the live read model was replaced" if summary["state"] == "switched" else "compared"
    print(
        f"{summary['patients']:,} patients, {summary['assessments']:,} assessments: "
        f"{summary['differences']:,} differed; {done}",
        file=sys.stderr,
    )
    for name, differing in summary.get("projections", {}).items():
        told = "moved too fast to be compared" if differing is None else f"{differing:,} differed"
        print(f"{name}: {told}", file=sys.stderr)


@contextmanager
def _progress(parts: Parts) -> Iterator[Told]:
    """A progress bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _progress, _patients: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("patients", total=parts.store.counts()["patients"])

        def moved(progress: Step, patients: int) -> None:
            bar.update(task, advance=patients)
            if progress.whole:
                bar.update(task, description=f"log up to {progress.position:,}")

        yield moved
