"""Panel figures: one row a practice and month, for boards.

The log says whose months may have changed; what they stand at is read from the live assessments,
which were written with the events. A row read too early is put right by the event that changed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from projections.panel import Figures, Share
from projections.ports import AssessmentRow, ProjectedRow, StoredEvent
from projections.projected import Projected, Stretch
from services.projecting.following import Folded

NAME: Final = "panel"
SHARES: Final = "panel.shares"
FIGURES: Final = "panel.figures"


class _Line(msgspec.Struct, gc=False):
    code: str
    units: int


class _Payment(msgspec.Struct, gc=False):
    amount: Decimal


class _Answer(msgspec.Struct, gc=False):
    status: str
    codes: tuple[_Line, ...]
    payment: _Payment | None


_ANSWER = msgspec.json.Decoder(_Answer)
_SHARE = msgspec.json.Decoder(Share)
_FIGURES = msgspec.json.Decoder(Figures)
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


class Panels:
    """The projection; see `services.projecting.following.Projection`."""

    name = NAME
    tables = (SHARES, FIGURES)

    def __init__(self, projected: Projected) -> None:
        self._projected = projected

    def forget(self) -> None:
        """Keeps nothing."""

    def fold(self, events: Sequence[StoredEvent], generation: int) -> Folded:
        streams = sorted({event.stream_id for event in events})
        after = {(r.stream_id, r.month): (r, _share(r)) for r in self._projected.answers(streams)}
        before = self._shares(streams, generation)
        changed = [
            key
            for key in sorted(before.keys() | after.keys())
            if key not in before or key not in after or before[key][1] != after[key][1]
        ]
        if not changed:
            return Folded()
        rows = []
        moves: dict[tuple[str, str], list[tuple[Share, int]]] = {}
        for key in changed:
            stream_id, month = key
            old, new = before.get(key), after.get(key)
            if old is not None:
                moves.setdefault((old[0], month), []).append((old[1], -1))
            if new is not None:
                moves.setdefault((new[0].practice_id, month), []).append((new[1], 1))
            body = None if new is None else _encode((new[0].practice_id, new[1]))
            rows.append(ProjectedRow(SHARES, generation, stream_id, 0, month, body))
        return Folded([*rows, *self._figures(moves, generation)])

    def _shares(
        self, streams: Sequence[str], generation: int
    ) -> dict[tuple[str, str], tuple[str, Share]]:
        """What these patients' months were put in with, and for which practice."""
        stretches = [Stretch(stream_id, 0, 0) for stream_id in streams]
        return {
            (row.part, row.key): _PUT_IN.decode(row.body or b"")
            for row in self._projected.rows(SHARES, generation, stretches)
        }

    def _figures(
        self, moves: dict[tuple[str, str], list[tuple[Share, int]]], generation: int
    ) -> list[ProjectedRow]:
        practices = {Stretch(practice, 0, 0) for practice, _ in moves}
        known = {
            (row.part, row.key): _FIGURES.decode(row.body or b"")
            for row in self._projected.rows(FIGURES, generation, practices)
        }
        rows = []
        for (practice, month), shares in sorted(moves.items()):
            figures = known.get((practice, month)) or Figures()
            for share, by in shares:
                figures.add(share, by)
            body = _encode(figures) if figures.patients else None
            rows.append(ProjectedRow(FIGURES, generation, practice, 0, month, body))
        return rows


_PUT_IN = msgspec.json.Decoder(tuple[str, Share])


def _share(row: AssessmentRow) -> Share:
    answer = _ANSWER.decode(row.body)
    codes = tuple((line.code, line.units) for line in answer.codes)
    return Share(row.status, codes, answer.payment.amount if answer.payment else Decimal(0))


def live_figures(
    projected: Projected, practice: str | None = None
) -> list[tuple[str, str, Figures]]:
    """The live figures, each with its practice and month."""
    rows = projected.live_rows(NAME, FIGURES, practice)
    return [(row.part, row.key, _FIGURES.decode(row.body or b"")) for row in rows]
