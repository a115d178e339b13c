"""What a reader of an explanation sees, in whole, for patient-months of every kind."""

from __future__ import annotations

import pytest

from tests.situations import SITUATIONS
from tests.telling import FOLDER, told


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_explanation_reads_as_agreed(name: str) -> None:
    """Every sentence, figure, event and rule; `python -m tests.telling` writes what is meant."""
    agreed = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert told(name).splitlines() == agreed.splitlines()


def test_no_agreed_explanation_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SITUATIONS)
