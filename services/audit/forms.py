"""The audit's answers as JSON: members in the order of their classes, money as decimal strings."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.assess import Assessment
from infra.answers import assessment_json
from services.audit.claims import Item
from services.audit.difference import Difference, Effect

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
