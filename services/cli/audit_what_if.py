"""`caretally audit what-if`: a year under other rules or another policy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.frame import configured, fail, opened, plain, print_lines
from services.cli.replay import Policies, PracticeId, policies

if TYPE_CHECKING:
    from domain.rules import RuleBook
    from services.audit.supposing import Change, Supposition
    from services.bootstrap import Parts

Rules = Annotated[
    str | None,
    typer.Option(help="Rules of this version in every month, such as cms-2025.1; fees stay."),
]
Year = Annotated[int, typer.Option(min=2010, max=2099, help="The year.", show_default=False)]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print every month that would change, then the sums.")
]


def what_if(
    year: Year,
    rules: Rules = None,
    policy: Policies = None,
    practice: PracticeId = None,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Show how codes and dollars of a year would change. Under other rules or another policy.

    Grouped by reason, for one practice or all of them. Nothing is changed by it.

    \b
    Example: caretally audit what-if --policy selection=highest-payment --year 2025 --practice p1
    """
    if rules is None and not policy:
        fail("expected --rules VERSION or --policy KEY=VALUE, or both")
    settings = configured()
    policy_of = policies(settings, policy or [])
    from services.audit.forms import change_json, supposition_json
    from services.audit.supposing import Supposition, Terms
    from services.audit.words import supposition_lines

    with opened(settings) as parts:
        asked = {"practice": practice, "year": str(year)}
        written_down(parts, "audit what-if", actor, reason, **asked)
        book = parts.book if rules is None else _pinned(parts, rules)
        now = Terms(parts.book, settings.policy_of)
        supposed = Supposition(now, Terms(book, policy_of))
        changes = _run(parts, supposed, year, practice)
        if as_json:
            print_lines(map(change_json, changes))
            print_lines([supposition_json(supposed, year)])
        else:
            for _ in changes:
                pass
            print_lines(plain(line).encode() for line in supposition_lines(supposed, year))


def _pinned(parts: Parts, version: str) -> RuleBook:
    from domain.rules.book import PinnedBook, versions_of_year

    try:
        return PinnedBook(parts.book.fees, version)
    except KeyError:
        year = version.removeprefix("cms-")[:4]
        known = versions_of_year(int(year)) if year.isascii() and year.isdigit() else []
        has = f"; {year} has {', '.join(known)}" if known else ""
        fail(f"--rules: expected a version such as cms-2025.1{has}; found {version[:60]!r}")


def _run(parts: Parts, supposed: Supposition, year: int, practice: str | None) -> Iterator[Change]:
    """The changes, with a progress bar on standard error where somebody watches."""
    if not sys.stderr.isatty():
        yield from supposed.run(parts.store, year, practice)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from infra.codec import split_stream_id

    streams = map(split_stream_id, parts.store.versions())
    total = sum(practice in (None, owner) for owner, _ in streams)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("patients", total=total)
        yield from supposed.run(parts.store, year, practice, lambda: bar.advance(task))
