"""The rules of chronic care management as data, by date of service."""

from __future__ import annotations

from domain.fees.schedule import BUILT_IN
from domain.rules.book import RuleBook, RuleSet

BOOK = RuleBook(BUILT_IN)
"""The rule book with the built-in fee figures."""

__all__ = ["BOOK", "RuleBook", "RuleSet"]
