"""The pages people work with: server-rendered, readable without a script, alive with one."""

from __future__ import annotations
