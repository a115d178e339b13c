"""What all parts of an event have in common: strict, unknown members ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain import facts


class WireModel(BaseModel):
    """What all parts of an event have in common."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class EventData(WireModel):
    """The `data` of one event type."""

    def fact(self) -> facts.Fact:
        """The domain's fact. Raises `Refused` where members do not fit together."""
        raise NotImplementedError
