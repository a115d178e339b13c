"""Large files of `caretally ingest`: by how many processes, and what each of them does."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.cli.frame import fail, opened

if TYPE_CHECKING:
    from infra.settings import Settings
    from services.cli.ingest_form import Form
    from services.doors.files import FileOutcome
    from services.doors.shares import Share

PROCESSES_MAX: Final = 4
"""More do not help by themselves: one writes at a time."""

_until_the_end: list[object] = []
"""What the process holds until it ends: to take a million objects apart takes seconds, and whoever
waits for the share would wait for that."""


def shared_files(forms: Mapping[Path, Form], wished: int) -> dict[Path, int]:
    """The files that several processes take, and how many; `wished` 0 lets the size decide.

    Of another form than our events there are none: one message of it may speak of the next. Ends
    the command where several were wished for all the same.
    """
    for path, form in forms.items():
        if wished > 1 and form.marks:
            fail(f"--processes: {path} is no file of events, so one takes it; expected 0 or 1")
    found = {path: _processes(path, wished) for path, form in forms.items() if not form.marks}
    return {path: processes for path, processes in found.items() if processes > 1}


def _processes(path: Path, wished: int) -> int:
    from services.doors.shares import is_large

    if wished:
        return wished
    with path.open("rb") as file:
        return min(os.cpu_count() or 1, PROCESSES_MAX) if is_large(file) else 1


def take_share(
    settings: Settings, path: Path, history: bool, share: Share, progress: Callable[[int], None]
) -> FileOutcome:
    """One process's share of a file, over a store that nobody else holds."""
    from services.doors.files import ingest_file

    with opened(settings) as parts:
        core, size = parts.ingest(), settings.batch_size
        _until_the_end.append(core)
        return ingest_file(core, parts.store, path, size, progress, history=history, share=share)
