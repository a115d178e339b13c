"""What answers are made by, in one string: equal makings give equal answers to equal events."""

from __future__ import annotations

import hashlib
from importlib.metadata import version

from domain.rules import RuleBook
from infra.settings import Settings


def making_of(book: RuleBook, settings: Settings) -> str:
    """A digest over the release, its rules and fees, and the policies of every practice."""
    file = settings.file
    policies = [repr(file.policy)]
    policies += [f"{name}={policy!r}" for name, policy in sorted(file.practices.items())]
    parts = [version("caretally"), book.digest, *policies]
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
