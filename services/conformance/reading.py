"""Case files as text: YAML without guesses, and values read by the field they stand in.

YAML 1.1 would turn the member `on` into true, 2023-05-09 into a date object and 07102-13 into
whatever it likes. Here every scalar stays the text that was written; each field says what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

NULLS: Final = frozenset({"null", "~"})
BOOLEANS: Final = {"true": True, "false": False}


class CaseError(ValueError):
    """A case file that cannot be read: says file, case and field, and what was expected."""

    def __init__(self, path: Path, case_id: str, field: str, sentence: str) -> None:
        """`case_id` and `field` are '' where none applies."""
        where = [str(path), *([f"case {case_id}"] if case_id else []), *([field] if field else [])]
        super().__init__(f"{', '.join(where)}: {sentence}")
        self.path = path
        self.case_id = case_id
        self.field = field
        self.sentence = sentence


class Wrong(ValueError):
    """A field that is not what it should be; the reader of the case adds file and case."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field
        self.sentence = sentence


class _PlainLoader(yaml.BaseLoader):
    """Every scalar a string; the same key twice in one mapping is refused, not overwritten."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if isinstance(key_node, yaml.ScalarNode) and key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key if isinstance(key, str) else id(key_node))
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> Any:
    """The file's content. Raises `CaseError` when it is not there, not UTF-8 or not YAML."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)
    except OSError as error:
        raise CaseError(path, "", "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CaseError(path, "", "", "is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise CaseError(path, "", "", f"is not YAML: {_in_one_line(error)}") from error


def _in_one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {problem}" if mark is not None else problem


def mapping(value: object, field: str) -> dict[str, Any]:
    """A mapping; an empty value is an empty one."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise Wrong(field, f"expected a mapping, found {_shown(value)}")
    return value


def sequence(value: object, field: str) -> list[Any]:
    """A list; an empty value is an empty one."""
    if value == "":
        return []
    if not isinstance(value, list):
        raise Wrong(field, f"expected a list, found {_shown(value)}")
    return value


def text(value: object, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise Wrong(field, f"expected a text, found {_shown(value)}")
    return value


def text_or_null(value: object, field: str) -> str | None:
    return None if is_null(value) else text(value, field)


def is_null(value: object) -> bool:
    """Whether the text says that there is nothing."""
    return isinstance(value, str) and value in NULLS


def whole_number(value: object, field: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    raise Wrong(field, f"expected a whole number, found {_shown(value)}")


def boolean(value: object, field: str) -> bool:
    if isinstance(value, str) and value in BOOLEANS:
        return BOOLEANS[value]
    raise Wrong(field, f"expected true or false, found {_shown(value)}")


def one_of(value: object, field: str, choices: Iterable[str]) -> str:
    known = sorted(choices)
    if isinstance(value, str) and value in known:
        return value
    raise Wrong(field, f"expected one of {', '.join(known)}, found {_shown(value)}")


def only(members: Mapping[str, Any], field: str, known: Iterable[str]) -> None:
    """Refuse members that nobody reads: a misspelt expectation would pass unnoticed."""
    for name in members:
        if name not in (allowed := sorted(known)):
            place = f"{field}.{name}" if field else str(name)
            raise Wrong(place, f"not a member of a case; known are {', '.join(allowed)}")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:60])
    return "a mapping" if isinstance(value, dict) else "a list"
