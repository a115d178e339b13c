"""What a resource can come to: drafts of events, review, or nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.rejections import Reason, Rejection


@dataclass(frozen=True, slots=True)
class Draft:
    """One event to be, without its envelope. `part` names it within its resource; `of` is another
    patient whose it is: as the site names them at first, then their stream."""

    part: str
    type: str
    data: dict[str, Any]
    of: str = ""


class Review(Exception):
    """The resource is ours and cannot be mapped: a person or another message must help."""

    def __init__(self, reason: Reason, field: str, sentence: str, waits_for: str = "") -> None:
        """`field` is a path inside the resource, such as `period.start`."""
        super().__init__(sentence)
        self.rejection = Rejection(reason, f"{field}: {sentence}", field, waits_for)


class Ignore(Exception):
    """The resource says nothing that counts, or nothing yet. Whatever stood for it goes."""

    def __init__(self, why: str) -> None:
        """`why` is a short name: it becomes a label of a counter."""
        super().__init__(why)
        self.why = why


class NotOurs(Ignore):
    """A kind of resource that no event is ever made of."""
