"""Facts that no feed gives, entered by hand: the forms, what they mean, and what they change."""

from __future__ import annotations
