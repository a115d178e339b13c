"""Task, and what it shares with Encounter: logged work."""

from __future__ import annotations

from typing import Any

from domain.rejections import Reason
from services.translate.outcome import Draft, Ignore, Review
from services.translate.parts import Activity
from services.translate.people import performer
from services.translate.reading import Resource, match, status_of, text, unmapped_status
from services.translate.site import Site
from services.translate.times import clock, start_and_end

DONE = "completed"
OPEN = frozenset({"draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold"})
NEVER = frozenset({"cancelled", "rejected", "failed"})
LOGGED = "time.logged.v1"


def task(resource: Resource, site: Site) -> list[Draft]:
    """Logged work: `executionPeriod` of a completed Task whose code the profile names."""
    status = status_of(resource)
    activity = match(site.time.tasks, "code", resource.get("code"))
    if activity is None:
        raise Ignore("task-not-mapped")
    if status in OPEN:
        raise Ignore("not-finished")
    if status in NEVER:
        raise Ignore("cancelled")
    if status != DONE:
        raise unmapped_status("status", status)
    start, end, name = start_and_end(resource, "executionPeriod")
    who = performer([resource.get("owner")], "owner", site)
    return work(resource, site, activity, who, start, end, name)


def work(
    resource: Resource,
    site: Site,
    activity: Activity,
    who: dict[str, Any],
    start: Any,
    end: Any,
    name: str,
    seconds: int | None = None,
) -> list[Draft]:
    """A time entry from both ends; with `seconds` less than between them, an unclocked one."""
    began, ended = clock(start, f"{name}.start"), clock(end, f"{name}.end")
    assert began.at is not None
    assert ended.at is not None
    if ended.at <= began.at:
        sentence = "expected an instant later than the start; found none"
        raise Review(Reason.ENDS_BEFORE_START, f"{name}.end", sentence)
    data: dict[str, Any] = {
        "entry_id": entry_id(resource),
        "performer": who,
        "activity": activity.activity,
        "program": activity.program,
    }
    if seconds is not None and seconds < (ended.at - began.at).total_seconds():
        on = began.day(site.timezone)
        if on != ended.day(site.timezone):
            sentence = "time was absent from it and it ends on another day; which day lost it?"
            raise Review(Reason.AMBIGUOUS, "length", sentence)
        data |= {"performed_on": on.isoformat(), "seconds": seconds}
    else:
        data |= {"started_at": began.text, "ended_at": ended.text}
    return [Draft("time", LOGGED, data)]


def entry_id(resource: Resource) -> str:
    """The id of the time entry that a resource stands for."""
    return f"{text(resource.get('resourceType'))}/{text(resource.get('id'))}"
