"""What a reader of an explanation sees, in whole, for patient-months of every kind."""

from __future__ import annotations

import pytest

from domain.explain import explain
from domain.explain.catalogue import cite
from domain.explain.wording import listed
from domain.fees.figures import FigureSet
from domain.fees.schedule import BUILT_IN
from domain.policy import Policy
from domain.rules import RuleBook
from domain.rules.codes import CODE_RULES
from tests.given import folded, ready
from tests.situations import SITUATIONS
from tests.telling import FOLDER, told


@pytest.mark.parametrize("name", SITUATIONS)
def test_an_explanation_reads_as_agreed(name: str) -> None:
    """Every sentence, figure, event and rule; `python -m tests.telling` writes what is meant."""
    agreed = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert told(name).splitlines() == agreed.splitlines()


@pytest.mark.parametrize(
    ("count", "said"), [(1, "1"), (6, "1, 2, 3, 4, 5, 6"), (8, "1, 2, 3, 4, 5, 6 and 2 more")]
)
def test_a_long_list_tells_six_and_how_many_more(count: int, said: str) -> None:
    assert listed([str(number) for number in range(1, count + 1)]) == said
    assert listed([str(number) for number in range(7)]).endswith(" and 1 more")


def test_an_explanation_says_which_rules_and_figures_it_rests_on() -> None:
    book = RuleBook(BUILT_IN.with_figures(FigureSet()))
    basis = explain(folded(ready("2025-03")), "2025-03", book, Policy()).basis
    assert basis.fees_digest == "sha256:" + book.fees.digest
    assert (basis.book_digest, basis.fee_layers) == (book.digest, 2)
    assert basis.rules_digest == book.on("2025-03").used.digest
    assert basis.rules_version == "cms-2025.1"


def test_a_citation_is_the_row_with_its_source_its_confidence_and_its_note() -> None:
    row = next(row for row in CODE_RULES if row.code == "99490")
    cited = cite("code.99490", "2025-03")
    assert (cited.first, cited.last) == (row.first, row.last)
    source = (row.citation.source, row.citation.confidence, row.citation.note)
    assert (cited.source, cited.confidence, cited.note) == source


def test_no_agreed_explanation_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SITUATIONS)
