"""Operators in the settings file: what they mean, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.configfile import SettingsError, read_config


def config(folder: Path, text: str) -> Path:
    path = folder / "care.toml"
    path.write_text(text)
    return path


def test_practices_and_persons_are_read(tmp_path: Path) -> None:
    text = """
[operator."north"]
practices = ["p1", "p2"]

[operator."south"]
practices = ["p3", "p4"]
match = "table"
[operator."south".persons]
"s-1" = [["p3", "a"], ["p4", "b"]]
"""
    operators = read_config(config(tmp_path, text), ()).operators
    assert operators.person("p1", "x") == operators.person("p2", "x") == ("north", "x")
    assert operators.person("p3", "a") == operators.person("p4", "b") == ("south", "s-1")
    assert operators.person("p4", "a") is None
    assert not read_config(config(tmp_path, ""), ()).operators


TABLE = 'practices = ["p1", "p2"]\nmatch = "table"\n[operator."n".persons]\n'


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('practices = ["p1"]', "expected a list of two or more practice ids"),
        ('practices = ["p1", "p1"]', "expected a list of two or more practice ids"),
        ('practices = "p1"', "expected a list of two or more practice ids"),
        ('practices = ["p1", "p2"]\nmatch = "name"', "expected one of patient-id, table"),
        ('practices = ["p1", "p2"]\nmatch = "table"', 'expected with match = "table"'),
        ('practices = ["p1", "p2"]\nclinics = 2', "clinics: expected one of practices"),
        (TABLE + '"x" = [["p3", "a"]]', "practices of this operator"),
        (TABLE + '"x" = "a"', "[practice, patient] pairs"),
        (TABLE + '"x" = [["p1", "a"]]\n"y" = [["p1", "a"]]', "given twice"),
        ('practices = ["p1", "p2"]\n[operator."m"]\npractices = ["p2", "p3"]', "belongs to"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, table: str, words: str
) -> None:
    path = config(tmp_path, f'[operator."n"]\n{table}\n')
    with pytest.raises(SettingsError) as refused:
        read_config(path, ())
    assert words in str(refused.value)
    assert f"{path}: [operator." in str(refused.value)
