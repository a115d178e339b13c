"""Whether somebody who is said to have worked is known to have worked for another patient then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.event import Event
from domain.facts import Clocked, TimeAmended, TimeLogged
from infra.codec import stream_id
from infra.eventstore.projected import open_projected
from projections.ports import Store
from projections.projected import Stretch, pointer
from projections.staffing import STRETCH_SECONDS_MAX
from services.pages.enter.foreseeing import Caution
from services.pages.words import minutes
from services.projecting.overlaps import NAME, WORK, part_of, work_of


def elsewhere(store: Store, events: Sequence[Event]) -> Iterator[Caution]:
    """A caution for each entry whose performer is at two patients at once, as far as the projector
    has followed the log. Who the other patient is stays unsaid."""
    generation = store.tracking(pointer(NAME)) or 0
    for event in events:
        fact = event.fact
        if not isinstance(fact, TimeLogged | TimeAmended) or not isinstance(fact.work, Clocked):
            continue
        start, end = fact.work.started_at, fact.work.ended_at
        part = part_of((event.practice_id, fact.performer.id))
        around = Stretch(part, start - STRETCH_SECONDS_MAX, end)
        own = stream_id(event.practice_id, event.patient_id)
        shared = 0
        for row in open_projected(store).rows(WORK, generation, [around]):
            _, work, _ = work_of(row)
            if work.stream_id != own:
                shared += max(0, min(end, work.end) - max(start, work.start))
        if shared:
            says = (
                f"{fact.performer.id} is logged for another patient then, {minutes(shared)} long."
            )
            yield Caution("staff-overlap", f"{says} An alert would be raised for both.")
