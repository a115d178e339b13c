"""Where the time of ingest goes, as a flame graph. `python -m benchmarks.flame [EVENTS] [FILE]`.

Stacks are sampled by computing time, each thousandth of a second, while a workload is ingested into
a SQLite file; time in built-in code counts for the function that called it. Frames under a
hundredth of the whole are left out, so the picture stays small. Wide is slow; colour is the room.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections import Counter
from html import escape
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.workload import write_workload
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from services.bootstrap import calm_collector
from services.doors.files import ingest_file
from services.ingest import Ingest

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "ingest-flame.svg"
EVERY_SECONDS = 0.001
LEAST_SHARE = 0.01
WIDTH, ROW, CHARACTER = 1200, 18, 6.6
COLOURS = {
    "domain": "#e4a853",
    "projections": "#d98c5f",
    "infra": "#7fa8c9",
    "services": "#8fb996",
    "libraries": "#c9c2d6",
}

Stack = tuple[str, ...]


def sampled(events: int) -> Counter[Stack]:
    """How often each stack was seen, from the outermost frame inwards."""
    found: Counter[Stack] = Counter()

    def sample(_number: int, frame: FrameType | None) -> None:
        found[_stack(frame)] += 1

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "lines.jsonl"
        write_workload(file, events)
        store = open_store(f"sqlite:///{folder}/ours.db")
        policy = Policy()
        ingest = Ingest(store, system_clock, BOOK, lambda _: policy)
        calm_collector()
        signal.signal(signal.SIGPROF, sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
        ingest_file(ingest, store, file)
        signal.setitimer(signal.ITIMER_PROF, 0)
        store.close()
    return found


def _stack(frame: FrameType | None) -> Stack:
    names = []
    while frame is not None and frame.f_code.co_name != "sampled":
        names.append(f"{_module(frame.f_code.co_filename)}:{frame.f_code.co_name}")
        frame = frame.f_back
    return tuple(reversed(names))


def _module(file: str) -> str:
    path = Path(file)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        return path.relative_to(ROOT).as_posix().removesuffix(".py")
    return f"libraries/{path.stem}"


def drawn(stacks: Counter[Stack]) -> str:
    """The picture."""
    total = stacks.total()
    boxes: list[str] = []
    deepest = _draw(stacks, 0.0, 0, total, boxes)
    height = (deepest + 2) * ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="11">'
        f'<rect width="{WIDTH}" height="{height}" fill="#fbfaf7"/>'
    )
    return "\n".join([head, *boxes, _legend(height), "</svg>\n"])


def _draw(stacks: Counter[Stack], x: float, depth: int, total: int, boxes: list[str]) -> int:
    """Draw the frames at this depth from `x` on; returns the greatest depth drawn."""
    below: dict[str, Counter[Stack]] = {}
    for stack, count in stacks.items():
        if stack:
            below.setdefault(stack[0], Counter())[stack[1:]] += count
    deepest = depth
    for name, inner in sorted(below.items()):
        share = inner.total() / total
        if share >= LEAST_SHARE:
            boxes.append(_box(name, share, x, depth))
            deepest = max(deepest, _draw(inner, x, depth + 1, total, boxes))
        x += share * WIDTH
    return deepest


def _box(name: str, share: float, x: float, depth: int) -> str:
    width = share * WIDTH
    colour = COLOURS.get(name.partition("/")[0], "#dddddd")
    shown = name.rpartition(":")[2]
    room = int((width - 6) / CHARACTER)
    text = shown if len(shown) <= room else shown[: room - 1] + "…" if room > 4 else ""
    return (
        f'<g><title>{escape(name)} {share:.1%}</title><rect x="{x:.1f}" y="{depth * ROW}" '
        f'width="{width - 0.5:.1f}" height="{ROW - 1}" fill="{colour}"/>'
        f'<text x="{x + 3:.1f}" y="{depth * ROW + 12}">{escape(text)}</text></g>'
    )


def _legend(height: int) -> str:
    return "".join(
        f'<rect x="{8 + n * 120}" y="{height - 14}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{22 + n * 120}" y="{height - 5}">{room}</text>'
        for n, (room, colour) in enumerate(COLOURS.items())
    )


def main(arguments: list[str]) -> None:
    """Sample, draw, and say what was drawn."""
    events = int(arguments[0]) if arguments else 50_000
    path = Path(arguments[1]) if len(arguments) > 1 else PICTURE
    stacks: Any = sampled(events)
    path.write_text(drawn(stacks))
    print(f"{path}: {stacks.total():,} samples over {events:,} events")


if __name__ == "__main__":
    main(sys.argv[1:])
