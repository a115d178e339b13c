"""One resource to drafts: which kind of it goes where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.translate.mapping import chart, encounters, lines, programme, work
from services.translate.outcome import Draft, Ignore, NotOurs
from services.translate.reading import Resource, text, tokens
from services.translate.site import Site

ENTERED_IN_ERROR: Final = "entered-in-error"

MAPPED: Final[dict[str, Callable[[Resource, Site], list[Draft]]]] = {
    "Claim": lines.claim,
    "ChargeItem": lines.charge,
    "CarePlan": programme.care_plan,
    "Condition": chart.condition,
    "Consent": programme.consent,
    "Encounter": encounters.encounter,
    "EpisodeOfCare": programme.episode,
    "ExplanationOfBenefit": lines.benefit,
    "Patient": chart.patient,
    "Procedure": chart.procedure,
    "Task": work.task,
}

NO_FACT: Final = frozenset({"CareTeam", "Coverage"})
"""Recognised, and of no weight: a team does not enrol, and no rule asks for the payer."""


def drafts_of(resource: Resource, site: Site) -> list[Draft]:
    """The events of a resource. Raises `Review` and `Ignore`, and nothing else."""
    kind = text(resource.get("resourceType"))
    if kind not in MAPPED:
        raise NotOurs("no-fact-in-it" if kind in NO_FACT else "kind-not-mapped")
    if is_withdrawn(resource):
        raise Ignore(ENTERED_IN_ERROR)
    return MAPPED[kind](resource, site)


def is_withdrawn(resource: Resource) -> bool:
    """Whether the resource was entered in error: then nothing it ever said stands."""
    verified = tokens(resource.get("verificationStatus"))
    return resource.get("status") == ENTERED_IN_ERROR or any(
        token.endswith(f"|{ENTERED_IN_ERROR}") for token in verified
    )
