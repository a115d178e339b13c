"""The timer: start, pause, stop; one of a person runs at a time, wherever they look."""

from __future__ import annotations
