"""The demo's words: minutes, codes, dollars, alerts, and what happened at each moment.

Every figure in a caption is read from the store before and after the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from projections.ports import DeadLetter
from services.demo.day import Moment
from services.demo.view import Answer, Change
from services.demo.vocabulary import Message, month_of

TITLES: Final[Mapping[Moment, str]] = {
    Moment.LATE_CORRECTION: "A late correction takes a code back",
    Moment.DUPLICATE: "A duplicate does nothing",
    Moment.BAD_EVENT: "A bad event goes to the dead letters",
    Moment.LATE_FACT: "A late fact changes a month that is over",
}
SHORT: Final[Mapping[Moment, str]] = {
    Moment.LATE_CORRECTION: "late correction",
    Moment.DUPLICATE: "duplicate",
    Moment.BAD_EVENT: "bad event",
    Moment.LATE_FACT: "late fact",
}


@dataclass(frozen=True, slots=True)
class Caption:
    """A moment of the story in plain words; `lines` is what comes, then what came of it."""

    moment: Moment
    patient: str
    lines: tuple[str, ...]

    @property
    def title(self) -> str:
        return TITLES[self.moment]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store held of a moment's patient on one side of the moment."""

    answer: Answer | None
    letters: int


def month_told(moment: Moment, today: date) -> str:
    """The month that a moment is about: a late fact shows best in the one before."""
    first = today.replace(day=1)
    return month_of(first - timedelta(days=1)) if moment is Moment.LATE_FACT else month_of(first)


def coming(moment: Moment, event: Message) -> Caption:
    """What is about to be sent."""
    patient = event["subject"]
    said = {
        Moment.LATE_CORRECTION: f"{patient}: an entry was logged for the wrong patient; "
        "it is withdrawn now.",
        Moment.DUPLICATE: f"{patient}: the EHR sends event {event['id']} a second time.",
        Moment.BAD_EVENT: f"{patient}: a device with a wrong clock reports work that ended "
        "before it began.",
        Moment.LATE_FACT: f"{patient}: a consent given on {event['data'].get('consented_on')} "
        "reaches the EHR only today.",
    }
    return Caption(moment, patient, (said[moment],))


def came(
    before: Caption,
    was: Seen,
    now: Seen,
    changes: Sequence[Change],
    letter: DeadLetter | None,
) -> Caption:
    """The same caption with what came of it."""
    if before.moment is Moment.BAD_EVENT:
        lines = _refused(was, now, letter)
    elif before.moment is Moment.DUPLICATE:
        lines = _unchanged(was, now, changes)
    else:
        lines = _turned(before.patient, was.answer, now.answer, changes)
    return Caption(before.moment, before.patient, (*before.lines, *lines))


def _refused(was: Seen, now: Seen, letter: DeadLetter | None) -> tuple[str, ...]:
    if letter is None or now.letters == was.letters:
        return ("No dead letter was written.",)
    kept = f"Kept whole as dead letter {letter.id}; the good event in the same batch was taken."
    return (f"{letter.reason}: {letter.sentence}", kept)


def _unchanged(was: Seen, now: Seen, changes: Sequence[Change]) -> tuple[str, ...]:
    if was.answer != now.answer or changes or now.answer is None:
        return _turned("", was.answer, now.answer, changes)
    stands = standing(now.answer)
    return (f"Before and after: {stands}. Nothing is counted twice, no alert is sent.",)


def _turned(
    patient: str, was: Answer | None, now: Answer | None, changes: Sequence[Change]
) -> tuple[str, ...]:
    """A month before and after, and the alerts that were sent about it."""
    either = now or was
    month = either.month if either else ""
    mine = [c for c in changes if c.row.patient_id == patient and c.row.state.month == month]
    sent = (f"Alerts sent: {alerts(mine)}.",) if mine else ("No alert was sent.",)
    return (f"{month}: {standing(was)} → {standing(now)}.", *sent)


def standing(answer: Answer | None) -> str:
    """A month in a few words: minutes, codes and dollars, or what is in the way."""
    if answer is None:
        return "nothing"
    said = f"{clock(answer.seconds.pooled)} min, {codes(answer) or 'no code'}"
    said += f", {amount(answer) or 'nothing to bill'}"
    return f"{said}, {status(answer)}" if answer.status in ("blocked", "diverged") else said


def alerts(changes: Sequence[Change]) -> str:
    """Transitions as a reader of alerts would say them."""
    return ", ".join(
        f"{change.row.state.type} {watched(change)} "
        f"{'raised' if change.row.state.raised else 'resolved'}"
        for change in changes
    )


def watched(change: Change) -> str:
    """The code and unit, or the blocker, that an alert is about."""
    state = change.row.state
    return f"{state.code} ×{state.unit}" if state.unit > 1 else state.code


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(seconds: int) -> str:
    """Seconds as minutes and seconds."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"


def amount(answer: Answer) -> str:
    """What the selected option pays; a code may have no fee for its date of service."""
    if answer.is_unpriced:
        return "no fee loaded"
    return dollars(answer.cents) if answer.codes else ""


def codes(answer: Answer) -> str:
    """The selected option's codes with their units."""
    return " ".join(
        line.code if line.units == 1 else f"{line.code}×{line.units}" for line in answer.codes
    )


def status(answer: Answer) -> str:
    """The status, and what stands in the way."""
    if answer.blockers and answer.status in ("blocked", "accruing"):
        return f"{answer.status}: {', '.join(answer.blockers)}"
    return answer.status


def to_go(answer: Answer) -> tuple[str, str]:
    """The nearest threshold's code and the time to it; empty where a month is full."""
    if not answer.next:
        return "", ""
    nearest = min(answer.next, key=lambda threshold: threshold.seconds_to_go)
    unit = f"×{nearest.unit}" if nearest.unit > 1 else ""
    return f"{nearest.code}{unit}", clock(nearest.seconds_to_go)
