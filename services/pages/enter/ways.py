"""Where the forms about a patient are."""

from __future__ import annotations

from urllib.parse import urlencode

from services.pages.ids import part
from services.pages.place import Place


def form_address(place: Place, patient: str, form: str, **given: str) -> str:
    """Where a form about a patient is; `given` is what it is to hold already."""
    query = f"?{urlencode(given)}" if given else ""
    return f"/enter/{part(place.practice)}/{place.month}/{part(patient)}/{form}{query}"
