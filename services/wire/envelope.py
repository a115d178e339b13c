"""The CloudEvents 1.0 envelope around each type's `data`, one model a type."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import Field

from services.wire.base import EventData, WireModel
from services.wire.models import DATA_OF_TYPE
from services.wire.scalars import (
    Identifier,
    Instant,
    InstantMicros,
    JsonMediaType,
    Mark,
    Source,
    SpecVersion,
)

Data = TypeVar("Data", bound=EventData)


class CloudEvent(WireModel, Generic[Data]):
    """One event. Attributes that are not named here are ignored.

    `backfill` is our own extension: true marks what is sent as history, which no alert is delivered
    for.
    """

    specversion: SpecVersion
    id: Identifier
    source: Source
    type: Identifier
    practiceid: Identifier
    subject: Identifier
    time: Instant
    recordedtime: InstantMicros | None = None
    datacontenttype: JsonMediaType | None = None
    backfill: Mark | None = None
    data: Data = Field(description="an object")


ATTRIBUTES = tuple(name for name in CloudEvent.model_fields if name != "data")
"""The context attributes we read, in the order in which they are checked."""


def envelope_of(data: type[EventData]) -> type[CloudEvent[Any]]:
    """The envelope model that holds this `data`."""
    return CloudEvent[data]  # type: ignore[valid-type]


ENVELOPE_OF_TYPE = {name: envelope_of(data) for name, data in DATA_OF_TYPE.items()}
"""Chosen by `type` before anything is validated: faster than a union, and errors name one type."""
