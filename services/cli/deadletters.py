"""`caretally dead-letters`: refused input, looked at, and put in again after a fix."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.frame import FAILED, fail, opened, plain, print_bytes, print_lines, to_json

if TYPE_CHECKING:
    from projections.ports import DeadLetter, Store
    from services.dead_letters import Replayed

app = typer.Typer(no_args_is_help=True)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, show_default=False)]
Ids = Annotated[
    list[int] | None,
    typer.Argument(metavar="ID", min=1, help="These letters.", show_default=False),
]
ReasonText = Annotated[
    str | None, typer.Option(help="Only letters with this reason, such as unknown-type.")
]
Origin = Annotated[
    str | None, typer.Option(help="Only those whose origin begins so, such as file:march.jsonl.")
]
TakenToo = Annotated[
    bool, typer.Option("--all", help="Also those that were taken or set aside since.")
]
All = Annotated[bool, typer.Option("--all", help="Every letter that was not taken yet.")]
Raw = Annotated[bool, typer.Option("--raw", help="Print the original bytes and nothing else.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


FACTS = (
    "id",
    "received_at",
    "origin",
    "reason",
    "field",
    "sentence",
    "replayed_at",
    "set_aside_at",
)


@app.callback()
def dead_letters() -> None:
    """Look at refused input, and put it in again after a fix.

    \b
    Example: caretally dead-letters list
    """


@app.command("list")
def list_(
    reason: ReasonText = None,
    origin: Origin = None,
    taken_too: TakenToo = False,
    as_json: AsJson = False,
) -> None:
    """List refused input, oldest first, with the reason of each.

    What was taken or set aside since is left out.

    \b
    Example: caretally dead-letters list --reason unknown-type --json
    """
    from services.dead_letters import Wanted, as_listed, find_letters

    _check_reason(reason)
    with opened() as parts:
        found = find_letters(parts.store, Wanted(reason, origin, taken_too))
        if as_json:
            print_lines(to_json(as_listed(letter)) for letter in found)
        else:
            print_lines(_line(letter).encode() for letter in found)


@app.command()
def show(
    letter_id: Id,
    raw: Raw = False,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Show one letter whole. Why it was refused, its key, headers and original bytes.

    \b
    Example: caretally dead-letters show 12 --raw > event.json
    """
    from infra.eventstore.letters import open_letters
    from services.dead_letters import as_shown

    if raw and as_json:
        fail("--raw and --json: expected one of them")
    with opened() as parts:
        written_down(parts, "dead-letters show", actor, reason, dead_letter=str(letter_id))
        letter = _letter(parts.store, letter_id)
        shown = as_shown(letter, open_letters(parts.store).acts(letter_id))
    if raw:
        print_bytes([letter.value or b""])
    elif as_json:
        print_lines([to_json(shown)])
    else:
        print_lines(line.encode() for line in _page(letter, shown))


@app.command()
def replay(
    ids: Ids = None,
    every: All = False,
    reason: ReasonText = None,
    as_json: AsJson = False,
) -> None:
    """Put letters in again, as they first came. For when what was wrong has been mended.

    What is taken is marked so in the same transaction as its event. What is refused again stays
    where it is, and the exit code is then 1. Stopped at any point and run again, nothing is lost
    or doubled.

    \b
    Example: caretally dead-letters replay --reason unknown-type
    """
    if sum(map(bool, (ids, every, reason))) != 1:
        fail("expected letters' ids, --all or --reason REASON, one of these three")
    _check_reason(reason)
    from services.dead_letters import Wanted, find_letters, replay_letters

    with opened() as parts:
        chosen: Iterable[DeadLetter] = (
            _waiting(parts.store, ids) if ids else find_letters(parts.store, Wanted(reason))
        )
        size = parts.settings.batch_size
        done = list(_watched(replay_letters(parts.ingest(), chosen, size)))
    _tell(done, as_json)


def _check_reason(reason: str | None) -> None:
    from domain.rejections import Reason

    known = [each.value for each in Reason]
    if reason is not None and reason not in known:
        fail(f"--reason: expected one of {', '.join(known)}; found {reason[:60]!r}")


def _letter(store: Store, letter_id: int) -> DeadLetter:
    from services.dead_letters import letter_of

    letter = letter_of(store, letter_id)
    if letter is None:
        fail(f"there is no dead letter {letter_id}; see: caretally dead-letters list --all")
    return letter


def _waiting(store: Store, ids: Sequence[int]) -> list[DeadLetter]:
    """The letters of these ids, each once, but those that were taken already."""
    from infra.codec import instant_text

    waiting = []
    for letter in [_letter(store, letter_id) for letter_id in dict.fromkeys(ids)]:
        if letter.replayed_at_us is None:
            waiting.append(letter)
        else:
            at = instant_text(letter.replayed_at_us)
            print(f"{letter.id}: was taken at {at}; left alone", file=sys.stderr)
    return waiting


def _watched(replayed: Iterator[Replayed]) -> Iterable[Replayed]:
    """With a progress bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        return replayed
    from rich.console import Console
    from rich.progress import track

    return track(replayed, "dead letters", console=Console(stderr=True))


def _tell(done: list[Replayed], as_json: bool) -> None:
    from services.dead_letters import as_replayed

    again = [(each.letter_id, each.rejection) for each in done if each.rejection is not None]
    summary = {"taken": len(done) - len(again), "refused": len(again)}
    for letter_id, rejection in again if not as_json else ():
        said = plain(f"{rejection.reason} {rejection.sentence}")
        print(f"{letter_id}: refused again: {said}", file=sys.stderr)
    print(f"{summary['taken']:,} taken, {summary['refused']:,} refused again", file=sys.stderr)
    if as_json:
        print_lines(to_json(each) for each in [*map(as_replayed, done), {"summary": summary}])
    if again:
        raise typer.Exit(FAILED)


def _line(letter: DeadLetter) -> str:
    from infra.codec import instant_text

    taken = "" if letter.is_open else "  (taken since)"
    if not letter.is_open and letter.replayed_at_us is None:
        taken = "  (set aside)"
    field = letter.field or "-"
    parts = (instant_text(letter.received_at_us), letter.origin, letter.reason, field)
    return plain(f"{letter.id}  {'  '.join(parts)}  {letter.sentence}{taken}")


def _page(letter: DeadLetter, shown: dict[str, Any]) -> Iterator[str]:
    """A letter for people; whatever a terminal would act upon is escaped."""
    for name in FACTS:
        yield plain(f"{name.replace('_', ' '):<12} {'-' if shown[name] is None else shown[name]}")
    for act in shown["acts"]:
        yield plain(f"{act['kind']:<12} {act['at']} by {act['by']}: {act['reason']}")
    yield f"{'key':<12} {_shown_bytes(shown['key'])}"
    for header in shown["headers"]:
        yield plain(f"{'header':<12} {header['name']}: ") + _shown_bytes(header["value"])
    size = "none" if letter.value is None else f"{len(letter.value):,} bytes"
    form = f", in {next(iter(shown['value']))}" if shown["value"] else ""
    yield f"{'value':<12} {size}{form}"
    if shown["value"]:
        yield ""
        for (text,) in [tuple(shown["value"].values())]:
            yield from (plain(line.expandtabs()) for line in text.splitlines())


def _shown_bytes(form: dict[str, str] | None) -> str:
    """Text as it is, other bytes in base64 and named so."""
    if form is None:
        return "-"
    ((name, text),) = form.items()
    return plain(text) if name == "text" else f"{name} {text}"
