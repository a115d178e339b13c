"""What all commands share: settings, the composed parts, output, errors and exit codes.

Exit codes: 0 all is well, 1 a check failed, 2 bad usage or bad input.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import date

    from infra.settings import Settings
    from services.bootstrap import Parts

OK, FAILED, BAD_INPUT = 0, 1, 2
BUFFER_BYTES = 1 << 16


def fail(sentence: str, code: int = BAD_INPUT) -> NoReturn:
    """Say what is wrong on standard error, one line each, and end."""
    for line in sentence.splitlines():
        print(f"error: {line}", file=sys.stderr)
    raise typer.Exit(code)


def configured() -> Settings:
    """The settings; a fault in them is told in one line and ends the command."""
    from infra.settings import SettingsError, load_settings, unknown_variables

    for sentence in unknown_variables(os.environ):
        print(f"warning: {sentence}", file=sys.stderr)
    try:
        return load_settings()
    except SettingsError as error:
        fail(str(error))


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Parts]:
    """The parts over the configured database; a database that fails is told in one line."""
    from services.bootstrap import composed
    from services.outage import is_outage

    settings = settings or configured()
    try:
        with composed(settings) as parts:
            yield parts
    except Exception as error:
        if is_outage(error):
            fail(f"database {shown(settings.database)}: {in_one_line(error)}")
        raise


def in_one_line(error: BaseException) -> str:
    """An error's own words without line ends."""
    return " ".join(str(error).split()) or type(error).__name__


def shown(url: str) -> str:
    """A database URL without its password."""
    scheme, slashes, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    user = credentials.partition(":")[0]
    return f"{scheme}{slashes}{user}{at}{place}"


def print_lines(lines: Iterable[bytes]) -> None:
    """Write lines to standard output; a reader that has enough ends the command quietly."""
    try:
        print_bytes(line + b"\n" for line in lines)
    finally:
        if isinstance(lines, Generator):
            lines.close()  # before the store that it reads from


def print_bytes(pieces: Iterable[bytes]) -> None:
    """Write to standard output as `print_lines` does, without line ends."""
    out = sys.stdout.buffer
    held: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size >= BUFFER_BYTES:
                out.write(b"".join(held))
                held, size = [], 0
        out.write(b"".join(held))
        out.flush()
    except BrokenPipeError:
        nobody_reads()


def nobody_reads() -> NoReturn:
    """Standard output was closed by its reader: not an error, and no reason for words."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(OK)


def to_json(value: Any) -> bytes:
    """One compact JSON object; for what is not an assessment or an event."""
    import msgspec

    return msgspec.json.encode(value)


def print_json(value: Any) -> None:
    print_lines([to_json(value)])


def plain(text: str) -> str:
    """Text for a line of a terminal: what could end the line or move the cursor is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def in_utf8(text: str | None) -> str | None:
    """An id from the command line as it is; bytes that are no text end the command."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("expected text in UTF-8") from None
    return text


def instant_option(text: str | None, option: str) -> int | None:
    """Microseconds since the epoch of an option's RFC 3339 instant."""
    from services.wire import instants

    if text is None:
        return None
    try:
        return instants.instant_us(text)
    except ValueError:
        expected = "an RFC 3339 instant with offset, such as 2026-03-31T23:59:59Z"
        fail(f"{option}: expected {expected}; found {text[:60]!r}")


def day_option(text: str | None, option: str) -> date | None:
    """An option's date, or the end of the command."""
    from services.wire import instants

    if text is None:
        return None
    try:
        return instants.day(text)
    except ValueError:
        fail(f"{option}: expected YYYY-MM-DD from 2010-01-01 to 2099-12-31; found {text[:60]!r}")


def month_option(text: str | None, option: str = "--month") -> str | None:
    """A month `YYYY-MM` as it is, or the end of the command."""
    from services.wire import instants

    if text is None:
        return None
    try:
        return instants.month(text)
    except ValueError:
        fail(f"{option}: expected YYYY-MM from 2010-01 to 2099-12; found {text[:60]!r}")
