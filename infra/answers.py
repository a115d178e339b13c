"""Assessments and alert transitions as canonical JSON: equal answers give equal bytes."""

from __future__ import annotations

import msgspec

from domain.alerts import Standing, Transition, Watched, alert_id
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
        status=assessment.status.value,
        body=whole[: whole.rindex(_VERSION_MEMBER)] + b"}",
        version=assessment.stream_version,
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
    """One transition as stored and sent: opaque ids, codes and numbers, no free text.

    `suppressed` is a member only where there is a reason: what is delivered never has it.
    """
    watched = transition.watched
    identity = alert_id(practice_id, patient_id, watched)
    body: dict[str, object] = {
        "alert_id": identity,
        "transition": transition.number,
        "state": "raised" if transition.raised else "resolved",
        "type": watched.type.value,
        "practice_id": practice_id,
        "patient_id": patient_id,
        "month": watched.month,
        "code": watched.code,
        "unit": watched.unit,
        "seconds_to_go": transition.seconds_to_go,
        "cause": {"source": cause[0], "id": cause[1]},
        "stream_version": version,
        "recorded_at": utc_text(recorded_at_us),
    }
    if transition.suppressed is not None:
        body["suppressed"] = transition.suppressed.value
    return TransitionRow(
        stream_id=stream_id,
        practice_id=practice_id,
        patient_id=patient_id,
        state=alert_state(identity, watched, transition.standing),
        recorded_at_us=recorded_at_us,
        body=_encode(body),
        suppressed=transition.suppressed and transition.suppressed.value,
    )


def alert_state(identity: str, watched: Watched, standing: Standing) -> AlertState:
    return AlertState(
        alert_id=identity,
        month=watched.month,
        type=watched.type.value,
        code=watched.code,
        unit=watched.unit,
        transition=standing.transition,
        raised=standing.raised,
        silent=standing.silent,
    )
