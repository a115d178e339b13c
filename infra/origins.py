"""Faults in settings, told by the name under which the wrong value was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.configfile import ConfigFile

_SECRET: Final = ("token", "password", "secret", "database", "notify")
"""Words in the names of settings whose values are not shown."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a wrong value may have come from: the environment, else the file."""

    prefix: str
    environ: Mapping[str, str]
    file: ConfigFile

    def sentence(self, error: Any) -> str:
        """One line for one of pydantic's errors; secrets are not shown."""
        message = str(error["msg"]).removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        if not error["loc"]:
            member, _, rest = message.partition(": ")
            return f"{self._name(member)}: {rest}"
        member = str(error["loc"][0])
        secret = any(
            word in member for word in ("token", "password", "secret", "database", "notify")
        )
        found = "" if secret else f"; found {str(error['input'])[:60]!r}"
        return f"{self._name(member)}: {message}{found}"

    def _name(self, member: str) -> str:
        variable = f"{self.prefix}{member.upper()}"
        if any(name.upper() == variable for name in self.environ):
            return variable
        return f"{self.file.path}: {member}" if member in self.file.members else variable
