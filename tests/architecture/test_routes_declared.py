"""Every route declares the right it needs, and the page of rights says the same."""

from __future__ import annotations

from tests.access import rights


def test_the_page_of_rights_is_what_the_application_declares() -> None:
    """A route that declares nothing is not served: composing it raises, and names the path.

    After a change of routes: `python -m tests.access.rights`, and read what it changed.
    """
    assert rights.PAGE.read_text("utf-8") == rights.page()
