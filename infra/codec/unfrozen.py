"""Frozen dataclasses made quickly, where one is made at every event."""

from __future__ import annotations

from dataclasses import fields, make_dataclass
from typing import Any


def unfrozen(frozen: type[Any]) -> Any:
    """A twin of a frozen dataclass with the same slots, to be made into it by its `__class__`.

    Several such objects are made at every event; the frozen ones' own `__init__` takes twice the
    time.
    """
    names = [(field.name, Any) for field in fields(frozen)]
    return make_dataclass(f"Unfrozen{frozen.__name__}", names, slots=True)
