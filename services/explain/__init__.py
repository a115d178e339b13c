"""Explanations for people and programs: loaded from a store, printed as text or as JSON."""

from __future__ import annotations

from services.explain.canonical import explain_json
from services.explain.stored import explain_history, explain_stored
from services.explain.text import explain_text

__all__ = ["explain_history", "explain_json", "explain_stored", "explain_text"]
