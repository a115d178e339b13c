"""The `data` of the events about one time entry: logged, amended, voided."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict
from pydantic.config import JsonDict

from domain import facts
from services.wire.base import EventData, WireModel
from services.wire.scalars import Day, Flag, Identifier, Instant, Seconds, Text
from services.wire.work import work_of

RoleName = Literal["clinical_staff", "billing_practitioner", "other_practitioner", "non_clinical"]
_ROLES = {role.value: role for role in facts.Role}


class Performer(WireModel):
    id: Identifier
    role: RoleName
    outside_us: Flag = False


def _present(given: tuple[str, ...], absent: tuple[str, ...]) -> JsonDict:
    """Members that are all there, and others that are not (null is the same as absent)."""
    members: JsonDict = {name: {"not": {"type": "null"}} for name in given}
    members.update({name: {"type": "null"} for name in absent})
    return {"required": list(given), "properties": members}


_CLOCKED, _UNCLOCKED = ("started_at", "ended_at"), ("performed_on", "seconds")
_EITHER: JsonDict = {"oneOf": [_present(_CLOCKED, _UNCLOCKED), _present(_UNCLOCKED, _CLOCKED)]}


class TimeLogged(EventData):
    model_config = ConfigDict(json_schema_extra=_EITHER)

    entry_id: Identifier
    performer: Performer
    activity: Identifier
    program: Identifier = "ccm"
    started_at: Instant | None = None
    ended_at: Instant | None = None
    performed_on: Day | None = None
    seconds: Seconds | None = None

    def who(self) -> facts.Performer:
        by = self.performer
        return facts.Performer(by.id, _ROLES[by.role], by.outside_us)

    def work(self) -> facts.Work:
        return work_of(self.started_at, self.ended_at, self.performed_on, self.seconds)

    def fact(self) -> facts.Fact:
        return facts.TimeLogged(self.entry_id, self.who(), self.activity, self.work(), self.program)


class TimeAmended(TimeLogged):
    reason: Text

    def fact(self) -> facts.Fact:
        return facts.TimeAmended(
            self.entry_id,
            self.who(),
            self.activity,
            self.work(),
            self.reason,
            self.program,
        )


class TimeVoided(EventData):
    entry_id: Identifier
    reason: Text

    def fact(self) -> facts.Fact:
        return facts.TimeVoided(self.entry_id, self.reason)
