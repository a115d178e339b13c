"""The rooms: imports go one way, and files stay small enough to need no tour."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "projections", "infra", "services")
LINES_MAX = 300


def test_imports_go_one_way() -> None:
    """services → infra → projections → domain, as the import contracts say."""
    lint = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(lint)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("path", sorted(ROOT.glob("domain/**/*.py")), ids=lambda p: p.stem)
def test_the_domain_imports_the_standard_library_alone(path: Path) -> None:
    outside = imported(ast.parse(path.read_text())) - set(sys.stdlib_module_names) - {"domain"}
    assert not outside


@pytest.mark.parametrize("path", sorted(ROOT.glob("domain/**/*.py")), ids=lambda p: p.stem)
def test_the_domain_never_asks_what_time_it_is(path: Path) -> None:
    text = path.read_text()
    for clock in ("datetime.now", "date.today", "utcnow", "import time"):
        assert clock not in text


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_needs_a_tour(room: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.glob(f"{room}/**/*.py")
        if (lines := len(path.read_text().splitlines())) > LINES_MAX
    }
    assert not long


def test_no_two_test_files_have_one_name() -> None:
    """pytest would collect only one of them."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
