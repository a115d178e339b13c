"""What a form is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "day", "month", "clock", "length", "choice", "flag", "note", "kept"]
"""`clock` is a time of day and `length` minutes with seconds, which only time forms have; `kept`
goes with the form and is not for the person to change."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form. `member` is where its value goes in the event's `data`, by dots; that of a
    time form's day, clock times and length is worked out from all of them."""

    name: str
    label: str
    kind: Kind = "text"
    member: str = ""
    is_required: bool = True
    choices: tuple[str, ...] = ()
    hint: str = ""
    offers: str = ""
    """The list of values that are offered and not demanded."""

    @property
    def path(self) -> str:
        return self.member or self.name


@dataclass(frozen=True, slots=True)
class Blank:
    """A form that nobody has filled in: one fact of the contract."""

    name: str
    type: str
    title: str
    verb: str
    """What its button says."""
    fields: tuple[Field, ...]
    said: str = ""
    """A sentence for whoever fills it in."""
    offered: bool = True
    """Whether it stands among the forms of a patient; others begin at what they correct."""

    @property
    def is_time(self) -> bool:
        """Whether it tells when and how long somebody worked."""
        return any(field.kind == "length" for field in self.fields)
