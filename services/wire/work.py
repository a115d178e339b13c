"""Whether a time entry's work makes sense: one of two forms, a day at most, not in the future."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from domain.facts import Clocked, Fact, Instant, TimeAmended, TimeLogged, Unclocked, Work
from domain.rejections import Reason
from services.wire import limits
from services.wire.instants import utc_day
from services.wire.refusal import Refused, missing, refused
from services.wire.scalars import DAY, INSTANT, SECONDS


def work_of(
    started_at: Instant | None,
    ended_at: Instant | None,
    performed_on: date | None,
    seconds: int | None,
) -> Work:
    """The one form of work these members give. Raises `Refused` on none, both, half or too much."""
    if performed_on is None and seconds is None:
        if started_at is None or ended_at is None:
            raise _half_clocked(started_at, ended_at)
        return _clocked(started_at, ended_at)
    if started_at is not None or ended_at is not None:
        field = "data.performed_on" if performed_on is not None else "data.seconds"
        raise refused(
            Reason.INVALID_MEMBER,
            field,
            "either started_at and ended_at, or performed_on and seconds",
            "members of both",
        )
    if performed_on is None:
        raise missing("data.performed_on", f"{DAY} beside seconds")
    if seconds is None:
        raise missing("data.seconds", f"{SECONDS} beside performed_on")
    return _unclocked(performed_on, seconds)


def _half_clocked(started_at: Instant | None, ended_at: Instant | None) -> Refused:
    if started_at is not None:
        return missing("data.ended_at", f"{INSTANT} beside started_at")
    if ended_at is not None:
        return missing("data.started_at", f"{INSTANT} beside ended_at")
    return missing("data.started_at", "either started_at and ended_at, or performed_on and seconds")


def _clocked(started_at: Instant, ended_at: Instant) -> Clocked:
    if ended_at <= started_at:
        raise refused(
            Reason.ENDS_BEFORE_START,
            "data.ended_at",
            f"an instant at least one second after data.started_at ({shown(started_at)})",
            shown(ended_at),
        )
    if ended_at - started_at > limits.ENTRY_SECONDS_MAX:
        raise _too_long("data.ended_at", ended_at - started_at)
    return Clocked(started_at, ended_at)


def _unclocked(performed_on: date, seconds: int) -> Unclocked:
    if seconds > limits.ENTRY_SECONDS_MAX:
        raise _too_long("data.seconds", seconds)
    return Unclocked(performed_on, seconds)


def _too_long(field: str, seconds: int) -> Refused:
    most = limits.ENTRY_SECONDS_MAX
    found = f"{seconds} seconds" if seconds < 10**12 else "more"
    return refused(Reason.ENTRY_TOO_LONG, field, f"an entry of at most {most} seconds", found)


def check_not_ahead(fact: Fact, time: Instant) -> None:
    """Refuse work that ends well after the event that reports it: a plan is not work done."""
    if not isinstance(fact, TimeLogged | TimeAmended):
        return
    work = fact.work
    if isinstance(work, Clocked):
        if work.ended_at - time > limits.AHEAD_SECONDS_MAX:
            expected = f"an instant at most 24 hours after the event's time ({shown(time)})"
            raise refused(Reason.WORK_IN_FUTURE, "data.ended_at", expected, shown(work.ended_at))
        return
    last = utc_day(time) + timedelta(days=limits.AHEAD_DAYS_MAX)
    if work.performed_on > last:
        expected = f"a date at most one day after the UTC date of the event's time, so by {last}"
        raise refused(Reason.WORK_IN_FUTURE, "data.performed_on", expected, str(work.performed_on))


def shown(at: Instant) -> str:
    """An instant for people: RFC 3339, UTC, whole seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
