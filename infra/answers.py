"""Assessments and alert transitions as canonical JSON: equal answers give equal bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.alerts import Transition, alert_id
from domain.assess import Assessment
from infra.codec import utc_text
from projections.ports import AlertState, AssessmentRow, TransitionRow

_encode = msgspec.json.Encoder(decimal_format="string").encode
_VERSION_MEMBER = b',"stream_version":'


def assessment_json(assessment: Assessment) -> bytes:
    """The whole assessment, members in the contract's order."""
    return _encode(assessment)


def assessment_row(stream_id: str, assessment: Assessment) -> AssessmentRow:
    """The row of the read model: its body leaves out the last member, `stream_version`."""
    whole = _encode(assessment)
    return AssessmentRow(
        stream_id=stream_id,
        practice_id=assessment.practice_id,
        patient_id=assessment.patient_id,
        month=assessment.month,
        status=str(assessment.status),
        body=whole[: whole.rindex(_VERSION_MEMBER)] + b"}",
        version=assessment.stream_version,
    )


class _Cause(msgspec.Struct, gc=False):
    source: str
    id: str


class _Transition(msgspec.Struct, gc=False):
    """A transition as stored and sent: opaque ids, codes and numbers, no free text.

    `suppressed` is a member only where there is a reason: what is delivered never has it.
    """

    alert_id: str
    transition: int
    state: str
    type: str
    practice_id: str
    patient_id: str
    month: str
    code: str
    unit: int
    seconds_to_go: int | None
    cause: _Cause
    stream_version: int
    recorded_at: str
    suppressed: str | msgspec.UnsetType = msgspec.UNSET


def transition_columns(
    stream_id: str,
    practice_id: str,
    patient_id: str,
    transition: Transition,
    cause: tuple[str, str],
    version: int,
    recorded_at_us: int,
) -> tuple[Any, ...]:
    """One transition as the columns it is stored in (`infra.eventstore.bypatient.MOVED`)."""
    watched, number, raised, seconds_to_go, suppressed = transition
    month, type, code, unit = watched
    identity = alert_id(practice_id, patient_id, watched)
    kind, hidden = str(type), None if suppressed is None else str(suppressed)
    body = _Transition(
        identity,
        number,
        "raised" if raised else "resolved",
        kind,
        practice_id,
        patient_id,
        month,
        code,
        unit,
        seconds_to_go,
        _Cause(*cause),
        version,
        utc_text(recorded_at_us),
        msgspec.UNSET if hidden is None else hidden,
    )
    return (
        stream_id,
        practice_id,
        patient_id,
        identity,
        month,
        kind,
        code,
        unit,
        number,
        raised,
        recorded_at_us,
        _encode(body),
        hidden,
    )


def transition_row(
    stream_id: str,
    practice_id: str,
    patient_id: str,
    transition: Transition,
    cause: tuple[str, str],
    version: int,
    recorded_at_us: int,
) -> TransitionRow:
    """The same with where its alert stands after it."""
    columns = transition_columns(
        stream_id, practice_id, patient_id, transition, cause, version, recorded_at_us
    )
    identity, month, type, code, unit, number, raised, _, body, suppressed = columns[3:]
    silent = raised and suppressed is not None
    state = AlertState(identity, month, type, code, unit, number, raised, silent)
    return TransitionRow(
        stream_id, practice_id, patient_id, state, recorded_at_us, body, suppressed=suppressed
    )
