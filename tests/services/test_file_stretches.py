"""A file's lines in stretches: the same lines wherever the chunks that are read end."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from services.doors import gathering, lines
from services.doors.gathering import Part, pieces
from services.doors.lines import Line, lines_of, stretches_of
from services.doors.shares import Share

KEPT = 40
TEXT = (
    b'\xef\xbb\xbf{"subject":"a"}\r\n\n \t\r\n{"subject": "b"}\n'
    + b"x" * KEPT
    + b"\r\n"
    + b"y" * (KEPT + 7)
    + b"\n"
    + b"".join(b'{"subject":"p%d"}\n' % number for number in range(40))
    + b"z" * (5 * KEPT)
    + b"\n\r\n\xef\xbb\xbf\nlast"
)


def expected(text: bytes) -> list[Line]:
    """The lines by the rules, without regard to chunks."""
    found = []
    for number, line in enumerate(text.split(b"\n"), 1):
        whole = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        found.append(Line(number, whole[:KEPT].removesuffix(b"\r"), len(line)))
    return found


@pytest.fixture(params=[1, 2, 3, 7, 16, 39])
def chunk_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(lines, "_CHUNK_BYTES", request.param)
    monkeypatch.setattr(lines, "LINE_BYTES_KEPT", KEPT)
    monkeypatch.setattr(gathering, "LINE_BYTES_KEPT", KEPT)
    return int(request.param)


@pytest.mark.usefixtures("chunk_bytes")
@pytest.mark.parametrize("packed", [True, False])
def test_lines_are_the_same_wherever_chunks_end(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(gzip.compress(TEXT) if packed else TEXT)
    with path.open("rb") as file:
        found = list(lines_of(file, path))
    wanted = expected(TEXT)
    assert [line[:2] for line in found] == [line[:2] for line in wanted]
    long = [line.number for line in found if line.length > KEPT]
    assert long == [line.number for line in wanted if line.length > KEPT]
    assert [found[n - 1].length for n in long] == [wanted[n - 1].length for n in long]


@pytest.mark.usefixtures("chunk_bytes")
@pytest.mark.parametrize("of", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 4])
def test_a_share_holds_of_each_part_the_lines_that_are_of_it_in_their_order(
    tmp_path: Path, of: int, count: int
) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(TEXT)
    held: dict[str, list[tuple[int, bytes]]] = {}
    wanted: dict[str, list[tuple[int, bytes]]] = {}
    lengths: dict[int, int] = {}
    told = [line for line in expected(TEXT) if line.text.strip()]
    for share in (Share(number, of) for number in range(of)):
        parts = [Part(f"{share.number}:{n}", 3 * n) for n in range(count)]
        for line, part in zip(
            told, share.parts_of([each.text for each in told], count), strict=True
        ):
            if part is not None and line.number > parts[part].done:
                wanted.setdefault(parts[part].feed, []).append(line[:2])
        with path.open("rb") as file:
            for piece in pieces(stretches_of(file, path), share, parts, 5):
                assert piece.count <= 5
                lengths.update(piece.lengths)
                for feed, some in piece.lines.items():
                    both = zip(some.numbers, some.texts, strict=True)
                    held.setdefault(feed, []).extend(both)
    assert held == wanted
    assert lengths == {line.number: line.length for line in told if line.length > KEPT}
