"""What a batch leaves in the dead letters: new ones, those taken now, those that wait anew."""

from __future__ import annotations

from collections.abc import Sequence

from domain.rejections import Rejection
from projections.ports import Batch
from services.ingest.opening import Opened, dead_letter

Results = Sequence[Rejection | None]


def write_letters(batch: Batch, opened: Opened, results: Results, now_us: int) -> None:
    """Refused pieces become letters, unless they are of a letter already: of such a one the
    original is marked as taken once all its pieces are, and one of a foreign form that is refused
    again tells why now."""
    refused: dict[int, Rejection | None] = {}
    for piece, rejection in zip(opened.pieces, results, strict=True):
        if piece.letter_id:
            refused[piece.letter_id] = refused.get(piece.letter_id) or rejection
        elif rejection is not None:
            batch.dead_letters.append(dead_letter(piece, rejection, now_us))
    for piece in opened.pieces if refused else ():
        rejection = refused.get(piece.letter_id)
        if not piece.letter_id:
            continue
        if rejection is None:
            batch.replayed[piece.letter_id] = now_us
        elif opened.whose is not None:
            batch.refused_again[piece.letter_id] = dead_letter(piece, rejection, now_us)
