"""`caretally assessments`, `alerts`, `export`: what the store holds, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.frame import fail, instant_option, month_option, opened, print_lines
from services.cli.replay import AllMonths, AsOf, MonthText, PatientId, PracticeId

if TYPE_CHECKING:
    from projections.ports import Store

STATUSES = ("claimed", "diverged", "billable", "blocked", "accruing")
CHUNK = 5_000
WAIT_SECONDS = 1.0

Status = Annotated[str | None, typer.Option(help=f"Only this one: {', '.join(STATUSES)}.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as new ones come in.")]


def assessments(
    practice: PracticeId = None,
    patient: PatientId = None,
    month: MonthText = None,
    status: Status = None,
    all_months: AllMonths = False,
    as_of: AsOf = None,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Print the live answers. In the form and order of `caretally replay`.

    With --as-of those of an earlier instant, folded anew from what the log held by then.

    \b
    Example: caretally assessments --month 2026-03 --status blocked
    """
    as_of_us, month = instant_option(as_of, "--as-of"), month_option(month)
    if status is not None and status not in STATUSES:
        fail(f"--status: expected one of {', '.join(STATUSES)}; found {status[:60]!r}")
    with opened() as parts:
        wanted = {"practice": practice, "patient": patient, "month": month, "status": status}
        written_down(parts, "assessments", actor, reason, **wanted, as_of=as_of)
        if as_of_us is not None:
            from services.readings import as_known

            found = as_known(parts, as_of_us, practice, patient, month, status, all_months)
        elif all_months:
            from services.readings import with_empty_months

            found = with_empty_months(parts, practice, patient, month, status)
        else:
            found = parts.store.assessments(practice, patient, month, status)
        print_lines(found)


def alerts(
    follow: Follow = False,
    practice: PracticeId = None,
    patient: PatientId = None,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Print every alert transition stored. Oldest first, one JSON object a line.

    \b
    Example: caretally alerts --follow --practice p1
    """
    with opened() as parts:
        written_down(parts, "alerts", actor, reason, practice=practice, patient=patient)
        found = _transitions(parts.store, follow, practice, patient)
        if not follow:
            print_lines(found)
            return
        try:
            for line in found:
                print_lines([line])
        except KeyboardInterrupt:
            return


def _transitions(
    store: Store, follow: bool, practice: str | None, patient: str | None
) -> Iterator[bytes]:
    after = 0
    while True:
        head = store.head()
        while page := store.transitions(after, CHUNK):
            after = page[-1].position
            for row in page:
                if practice in (None, row.practice_id) and patient in (None, row.patient_id):
                    yield row.body
        if not follow:
            return
        store.wait(head, WAIT_SECONDS)


def export(
    practice: PracticeId = None,
    patient: PatientId = None,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Print the stored events as CloudEvents. With the time at which each was first recorded.

    \b
    Example: caretally export --practice p1 | gzip > p1.jsonl.gz
    """
    with opened() as parts:
        written_down(parts, "export", actor, reason, practice=practice, patient=patient)
        print_lines(_events(parts.store, practice, patient))


_CARRIED = b',"source":"!caretally/merged",'
"""In the envelope of what was carried over from a merged record."""


def _events(store: Store, practice: str | None, patient: str | None) -> Iterator[bytes]:
    from domain.facts import TICK_TYPE
    from infra.codec import split_stream_id
    from services.wire.encode import to_cloudevent

    after = 0
    while page := store.log(after, CHUNK):
        after = page[-1].position
        for event in page:
            if event.name == TICK_TYPE or (patient is None and _CARRIED in event.state):
                continue  # our own word, which any store makes for itself from the others
            owner = split_stream_id(event.stream_id)
            if practice in (None, owner[0]) and patient in (None, owner[1]):
                yield to_cloudevent(event)
