"""A route that declares no right is not served: the process would not even start."""

from __future__ import annotations

from pathlib import Path

from infra.settings import Settings
from services.bootstrap import composed
from services.serve.process import Process
from services.serve.roles import Role, plan


def test_every_route_of_a_serving_process_declares_what_it_needs(tmp_path: Path) -> None:
    """Else composing it raises, and the message names the path."""
    settings = Settings(database=f"sqlite:///{tmp_path}/care.db")
    with composed(settings) as parts:
        Process(parts, plan(settings, [Role.ALL]))
