"""One file taken by several processes at once, each with its share of the patients."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from services.doors.files import FileOutcome
from services.doors.shares import Share

Progress = Callable[[int], None]
Work = Callable[[Share, Progress], FileOutcome]
"""Takes a share of a file in its own process, over a store that it opens itself."""


class ShareFailed(Exception):
    """A process ended before its share was taken. Run it again: it goes on where it was."""


def take_together(work: Work, shares: int, progress: Progress | None = None) -> FileOutcome:
    """Let `shares` processes work, and sum up what became of the lines.

    All are waited for, also when one fails; then the first failure is raised. `progress` is
    called with the line that all shares together have come to, on average.
    """
    running = [_started(work, Share(number, shares)) for number in range(shares)]
    lines, ended = [0] * shares, dict[int, FileOutcome | BaseException]()
    try:
        open_ends: dict[Any, int] = {end: number for number, (_, end) in enumerate(running)}
        while open_ends:
            for end in wait(list(open_ends)):
                number, said = open_ends[end], _heard(end)
                if isinstance(said, int):
                    lines[number] = said
                    if progress is not None:
                        progress(sum(lines) // shares)
                else:
                    ended[number] = said
                    del open_ends[end]
    finally:
        for process, _ in running:
            if len(ended) < shares:
                process.terminate()
            process.join()
    return _summed([ended[number] for number in range(shares)])


def _started(work: Work, share: Share) -> tuple[BaseProcess, Connection]:
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, share, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _run(work: Work, share: Share, to_parent: Connection) -> None:
    try:
        said: FileOutcome | BaseException = work(share, to_parent.send)
    except BaseException as error:
        said = _sendable(error)
    to_parent.send(said)


def _sendable(error: BaseException) -> BaseException:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return ShareFailed(f"{type(error).__name__}: {error}")
    return error


def _heard(end: Any) -> int | FileOutcome | BaseException:
    try:
        said: int | FileOutcome | BaseException = end.recv()
    except EOFError:
        return ShareFailed("a process of several ended before its share was taken")
    return said


def _summed(ended: list[FileOutcome | BaseException]) -> FileOutcome:
    outcomes = []
    for said in ended:
        if isinstance(said, BaseException):
            raise said
        outcomes.append(said)
    first = outcomes[0]
    return FileOutcome(
        feed=first.feed.rpartition("/")[0] or first.feed,
        resumed_after=min(one.resumed_after for one in outcomes),
        lines=max(one.lines for one in outcomes),
        accepted=sum(one.accepted for one in outcomes),
        duplicates=sum(one.duplicates for one in outcomes),
        dead_lettered=sum(one.dead_lettered for one in outcomes),
        ignored=sum(one.ignored for one in outcomes),
    )
