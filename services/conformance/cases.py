"""Case files to cases that can be run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from domain.event import Event
from domain.facts import Month
from domain.policy import Policy
from domain.rejections import Rejection
from infra.codec import canonical_json
from services.conformance import reading
from services.conformance.expectation import Expectation, read_expectation
from services.conformance.reading import CaseError, Wrong
from services.conformance.saying import Said, baseline, documents, written
from services.wire.decode import decode_structured

AUTHORITIES: Final = ("cms", "mac", "ncci", "oig", "aafp", "coder", "vendor", "derived")
MEMBERS: Final = ("id", "title", "authority", "source", "month", "events", "expect")
OPTIONAL: Final = ("policy", "baseline")
_NAMES: Final = {"time": "at", "recordedtime": "recorded_at"}
"""What a case calls these attributes of an event."""
_MONTH: Final = re.compile(r"20[1-9]\d-(?:0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Case:
    """One published or derived case: these facts, this month, this policy, this answer."""

    id: str
    title: str
    authority: str
    source: str
    month: Month
    policy: Policy
    events: tuple[Event, ...]
    expect: Expectation
    path: Path


def load_cases(paths: Sequence[Path | str]) -> list[Case]:
    """All cases of these files and folders (every `.yaml` and `.yml` below, by name).

    Raises `CaseError` for a file that is not there or not in form, for two cases of one id, and
    when there is no case at all: an empty run would look like a success.
    """
    cases: dict[str, Case] = {}
    for path in _files(paths):
        for case in _cases_of(path):
            if case.id in cases:
                first = cases[case.id].path
                raise CaseError(path, case.id, "id", f"stands in {first} already")
            cases[case.id] = case
    if not cases:
        given = Path(", ".join(map(str, paths)))
        raise CaseError(given, "", "", "no case there; expected YAML files of cases")
    return list(cases.values())


def _files(paths: Sequence[Path | str]) -> list[Path]:
    """Every file once, folders opened."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        inside = sorted(p for p in path.rglob("*.y*ml") if p.suffix in (".yaml", ".yml"))
        found.update(dict.fromkeys(inside if path.is_dir() else [path]))
    return list(found)


def _cases_of(path: Path) -> Iterator[Case]:
    content = reading.read_yaml(path)
    if not isinstance(content, list):
        raise CaseError(path, "", "", "expected a list of cases")
    for place, members in enumerate(content, start=1):
        named = members.get("id") if isinstance(members, dict) else None
        case_id = named if isinstance(named, str) and named else f"number {place}"
        try:
            yield _case(members, path)
        except Wrong as wrong:
            raise CaseError(path, case_id, wrong.field, wrong.sentence) from wrong


def _case(content: object, path: Path) -> Case:
    members = reading.mapping(content, "")
    reading.only(members, "", (*MEMBERS, *OPTIONAL))
    for name in MEMBERS:
        if name not in members:
            raise Wrong(name, "missing")
    case_id = reading.text(members["id"], "id")
    month = _month(members["month"])
    said = [*baseline(members.get("baseline", ""), month), *written(members["events"])]
    return Case(
        id=case_id,
        title=reading.text(members["title"], "title"),
        authority=reading.one_of(members["authority"], "authority", AUTHORITIES),
        source=reading.text(members["source"], "source"),
        month=month,
        policy=read_policy(members.get("policy", "")),
        events=tuple(_events(said, case_id, month)),
        expect=read_expectation(members["expect"]),
        path=path,
    )


def _month(value: object) -> Month:
    month = reading.text(value, "month")
    if not _MONTH.fullmatch(month):
        raise Wrong("month", f"expected YYYY-MM, found {month!r}")
    return month


def _events(said: list[Said], case_id: str, month: Month) -> Iterator[Event]:
    """The facts let in through the same door as everybody's."""
    for one, document in zip(said, documents(said, case_id, month), strict=True):
        decoded = decode_structured(canonical_json(document))
        if isinstance(decoded, Rejection):
            place = _NAMES.get(decoded.field, decoded.field.removeprefix("data."))
            field = f"{one.field}.{place}" if place else one.field
            raise Wrong(field, f"{decoded.reason}: {decoded.sentence}")
        yield decoded.event


def read_policy(members: object) -> Policy:
    """A practice's choices as a case writes them; the contract's defaults for the rest."""
    given = reading.mapping(members, "policy")
    reading.only(given, "policy", [field.name for field in fields(Policy)])
    hints = get_type_hints(Policy)
    chosen = {name: _choice(hints[name], v, f"policy.{name}") for name, v in given.items()}
    return Policy(**chosen)


def _choice(hint: Any, value: object, field: str) -> Any:
    if get_origin(hint) is Literal:
        return reading.one_of(value, field, get_args(hint))
    if get_origin(hint) is tuple:
        return tuple(reading.text(item, field) for item in reading.sequence(value, field))
    if hint is bool:
        return reading.boolean(value, field)
    return reading.whole_number(value, field) if hint is int else reading.text(value, field)
