"""Other services in the month, and the claim that stands on it."""

from __future__ import annotations

from domain.assess.assessment import Assessment
from domain.assess.context import MonthContext
from domain.assess.findings import services_with_effect
from domain.assess.reckoning import units_by_code
from domain.explain.catalogue import cite, ref
from domain.explain.explanation import ClaimAccount, OtherService
from domain.explain.wording import codes, days, listed
from domain.facts import MonthClaimed, ServiceBilled

EFFECTS = {
    "competing-service": "blocks the month: the same practitioner may bill only one of the two",
    "billed-elsewhere": "blocks the month: one practitioner a patient and month",
    "concurrent-service": "may stand beside care management with minutes of its own",
    "tcm-period": "keeps its days to itself: time on them does not count",
}
"""What a service can do to a month, in the order in which services are listed."""


def other_services(context: MonthContext) -> tuple[OtherService, ...]:
    """Services that overlap the month and mean something to it, by effect and day."""
    found: list[OtherService] = []
    for effect in EFFECTS:
        of_effect = services_with_effect(context.question, effect)
        for rule_id, event in sorted(of_effect, key=lambda each: each[1].order):
            service = event.fact
            assert isinstance(service, ServiceBilled)
            same = service.npi == context.question.npi
            who = "the billing practitioner" if same else "another practitioner"
            when = days(service.from_on, service.through_on)
            found.append(
                OtherService(
                    hcpcs=service.hcpcs,
                    first=service.from_on,
                    last=service.through_on,
                    same_practitioner=same,
                    effect=effect,
                    sentence=f"{service.hcpcs} {when} by {who}: {EFFECTS[effect]}.",
                    evidence=ref(event),
                    rule=cite(rule_id, context.month),
                )
            )
    return tuple(found)


def claim_account(context: MonthContext, answer: Assessment) -> ClaimAccount | None:
    """How the standing claim compares with what may be billed today; None where none stands."""
    event = context.chart.claims.get(context.month)
    if event is None:
        return None
    claim = event.fact
    assert isinstance(claim, MonthClaimed)
    claimed = units_by_code(claim.codes)
    agreeing = [o.family for o in answer.options if units_by_code(o.codes) == claimed]
    said = f"Claimed {codes(claim.codes)} on {claim.submitted_on}"
    if agreeing:
        said += f", which the facts support ({agreeing[0]})."
    elif answer.options:
        offers = listed([codes(option.codes) for option in answer.options])
        said += f"; today's facts support {offers} instead."
    else:
        blocked = f": {listed(answer.blockers)}" if answer.blockers else ""
        said += f"; today's facts support no code{blocked}."
    supported = agreeing[0] if agreeing else None
    return ClaimAccount(claim.codes, claim.submitted_on, supported, said, ref(event))
