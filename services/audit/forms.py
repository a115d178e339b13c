"""The audit's answers as JSON: members in the order of their classes, money as decimal strings."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.assess import Assessment
from infra.answers import assessment_json
from services.audit.claims import Item
from services.audit.difference import Difference, Effect
from services.audit.supposing import Change, Sum, Supposition

encode = msgspec.json.Encoder(decimal_format="string").encode


def difference_json(found: Difference, from_text: str, to_text: str) -> bytes:
    """One object: both assessments in the contract's form, and every event between them."""
    after = found.after
    return encode(
        {
            "practice_id": after.practice_id,
            "patient_id": after.patient_id,
            "month": after.month,
            "from": from_text,
            "to": to_text,
            "before": _whole(found.before),
            "after": _whole(after),
            "changed": found.changed,
            "events": [_effect(effect) for effect in found.effects],
        }
    )


def _whole(answer: Assessment | None) -> msgspec.Raw | None:
    return None if answer is None else msgspec.Raw(assessment_json(answer))


def _effect(effect: Effect) -> dict[str, Any]:
    event: dict[str, Any] = msgspec.to_builtins(effect.event)
    return {
        **event,
        "made_difference": effect.made_difference,
        "changed": effect.changed,
        "decisive": effect.decisive,
        "came_to_before": effect.before,
        "came_to_after": effect.after,
    }


def item_json(item: Item) -> bytes:
    """One month of the worklist."""
    return encode(item)


def change_json(change: Change) -> bytes:
    """One month that would come to something else."""
    return encode(change)


def supposition_json(supposed: Supposition, year: int) -> bytes:
    """The sums: of every month, and of those that would change by reason, the most dollars
    first."""
    return encode(
        {
            "year": year,
            "patients": supposed.patients,
            "months": supposed.all.months,
            "changed": supposed.changed,
            "total": _sum(supposed.all),
            "groups": [
                {"reasons": reasons, **_sum(group)} for reasons, group in supposed.by_dollars()
            ],
        }
    )


def _sum(found: Sum) -> dict[str, Any]:
    return {
        "months": found.months,
        "units_before": dict(sorted(found.units_before.items())),
        "units_after": dict(sorted(found.units_after.items())),
        "dollars_before": found.dollars_before,
        "dollars_after": found.dollars_after,
        "dollars": found.dollars,
        "unpriced": found.unpriced,
        "claims_diverging": found.claims_diverging,
    }
