"""Explanations of a month: each condition, second and dollar with its evidence, rule and source."""

from __future__ import annotations

from domain.explain.explain import explain
from domain.explain.explanation import Explanation

__all__ = ["Explanation", "explain"]
