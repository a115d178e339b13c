"""What every part of a site profile is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.wire.scalars import Identifier

Token = Annotated[
    str,
    Field(
        pattern=r"^\S+\|\S+$",
        max_length=500,
        description="a code as 'system|code', such as 'http://snomed.info/sct|185317003'",
    ),
]


class Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Activity(Part):
    activity: Identifier
    program: Identifier = "ccm"
