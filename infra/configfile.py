"""The TOML settings file: settings by name, policies by practice, operators of practices."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from domain.policy import Policy
from infra.operators import OperatorError, operators_from
from infra.policies import PolicyError, policy_from
from projections.operators import Operators


class SettingsError(ValueError):
    """Settings that cannot be used: one line a fault, each naming where it stands."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file said: plain settings, the policy of all practices, and of single ones, and
    which practices belong to one operator."""

    path: Path | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    practices: Mapping[str, Policy] = field(default_factory=dict)
    operators: Operators = field(default_factory=Operators)


def read_config(path: Path, known: Collection[str]) -> ConfigFile:
    """Read a settings file whose plain members are among `known`.

    Raises SettingsError that names the file, the table, the member and what was expected.
    """
    document = _document(path)
    default = _policy(path, "policy", document.pop("policy", {}), Policy())
    practices = _practices(path, document.pop("practice", {}), default)
    try:
        operators = operators_from(_table(path, "operator", document.pop("operator", {})))
    except OperatorError as error:
        raise SettingsError(f"{path}: {error}") from None
    for name in document:
        if name not in known:
            raise SettingsError(f"{path}: {name} is not a setting{_meant(name, known)}")
    return ConfigFile(path, document, default, practices, operators)


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"CARETALLY_CONFIG: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: expected TOML: {error}") from None


def _practices(path: Path, tables: Any, default: Policy) -> dict[str, Policy]:
    found = {}
    for practice, table in _table(path, "practice", tables).items():
        where = f'practice."{practice}"'
        members = dict(_table(path, where, table))
        policy = members.pop("policy", {})
        for name in members:
            raise SettingsError(f"{path}: [{where}] {name} is not known; expected only policy")
        found[practice] = _policy(path, f"{where}.policy", policy, default)
    return found


def _policy(path: Path, where: str, table: Any, base: Policy) -> Policy:
    try:
        return policy_from(_table(path, where, table), base)
    except PolicyError as error:
        raise SettingsError(f"{path}: [{where}] {error}") from None


def _table(path: Path, where: str, found: Any) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: {where}: expected a table [{where}], found a plain value")
    return found


def _meant(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, [*known, "policy", "practice", "operator"], n=1)
    return f"; did you mean {close[0]}?" if close else ""
