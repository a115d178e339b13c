"""How a month stands while somebody fills in a form about it, in one line."""

from __future__ import annotations

from domain.assess import assess
from domain.explain.wording import codes
from domain.rules import RuleBook
from services.pages.enter.foreseeing import next_words
from services.pages.enter.usual import Desk
from services.pages.words import minutes


def standing_of(desk: Desk, book: RuleBook) -> str:
    """Status, codes, minutes, what is next and what blocks."""
    answer = assess(desk.patient, desk.month, book, desk.policy)
    counted = minutes(answer.seconds.logged - answer.seconds.excluded)
    said = [f"{answer.month}: {answer.status.value}"]
    if answer.codes:
        said.append(codes(answer.codes))
    said.append(f"{counted} counts")
    if ahead := next_words(answer):
        said.append(ahead)
    if answer.blockers:
        said.append(f"blocked by {', '.join(answer.blockers)}")
    return ", ".join(said)
