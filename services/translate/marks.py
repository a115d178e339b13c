"""Headers by which a delivery is known as FHIR or HL7 v2. A letter keeps them and goes in again."""

from __future__ import annotations

from typing import Final

from services.wire.modes import HISTORY

FHIR: Final = "caretally-fhir"
"""The first header of a FHIR delivery: the name of the site, empty where there is one alone."""

HL7V2: Final = "caretally-hl7v2"
"""The same of an HL7 v2 delivery."""

FETCH: Final = "caretally-fetch"
"""On a letter for what must be fetched: what, as JSON."""

FILLED: Final = "caretally-filled"
"""On a letter that is put in again after all that it asked for was."""

MODIFIED: Final = "caretally-modified"
"""On a letter of a resource: when the bundle said that it changed."""

PATIENT_IS: Final = "caretally-patient"
"""On a letter of a resource: whom its bundle's own name for the patient means."""

OURS: Final = "caretally-"


def marked(site: str, *more: tuple[str, bytes], form: str = FHIR) -> tuple[tuple[str, bytes], ...]:
    """The headers of a delivery of a site."""
    return ((form, site.encode()), *more)


SITE: Final = "caretally-site"
"""On a message in Kafka: the name of the site, where there are several."""


def from_kafka(
    headers: tuple[tuple[str, bytes], ...], form: str = FHIR, by: str = SITE
) -> tuple[tuple[str, bytes], ...]:
    """The headers of a message of a form's topic. Of ours it may bring history, and `by`: by whose
    profile it is to be read."""
    site = next((value for name, value in headers if name == by), b"")
    others = [each for each in headers if not each[0].startswith(OURS) or each[0] == HISTORY]
    return ((form, site), *others)
