"""docs/routes.md: every route and what it needs, as the application declares it.

    python -m tests.access.rights

writes it anew. Read what changed: that is the review of who may what.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.access.whole import whole

PAGE = Path(__file__).resolve().parents[2] / "docs" / "routes.md"
HEAD = """# Routes and rights

What each route needs. `open`: whoever asks; `signed-in`: whoever is known. Which roles hold which
rights is in [access.md](access.md). This page is written by `python -m tests.access.rights`, and a
test holds it against the application: a route that is not here is not served.

| route | method | needs |
|---|---|---|
"""


def page() -> str:
    """The page as the application is now."""
    with tempfile.TemporaryDirectory() as folder, whole(Path(folder)) as found:
        rows = sorted((path, method, need) for (path, method), need in found.needs.items())
    return HEAD + "".join(f"| `{path}` | {method} | {need} |\n" for path, method, need in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
