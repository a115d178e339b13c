"""Where the forms about a patient are, and which facts have one to take them back."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from services.pages.ids import part
from services.pages.place import Place

KEPT: Final = ("time.", "month.", "event.", "clock.", "patient.merged", "identity.")
"""Types that no form withdraws: entries are voided, claims are the month close's."""


def can_be_withdrawn(type: str) -> bool:
    """Whether whoever may enter facts may also take one of this type back."""
    return not type.startswith(KEPT)


def form_address(place: Place, patient: str, form: str, **given: str) -> str:
    """Where a form about a patient is; `given` is what it is to hold already."""
    query = f"?{urlencode(given)}" if given else ""
    return f"/enter/{part(place.practice)}/{place.month}/{part(patient)}/{form}{query}"
