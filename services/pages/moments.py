"""Which moment of recorded time a request asks for, and where the slider stands then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from infra.codec import instant_text
from services.pages.knowing import AGAINST, Against, Stop, stop_at, stops
from services.pages.place import Refusal
from services.views.record import Known
from services.wire import instants


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment asked for. `at_us` is None for now; `number` is the stop the slider stands at, -1
    before the first. `elsewhere` is where to look instead, with the moment by its name."""

    stops: tuple[Stop, ...]
    number: int
    at_us: int | None
    against: Against
    path: str
    elsewhere: str | None = None

    @property
    def at(self) -> str | None:
        """RFC 3339; None for now."""
        return None if self.at_us is None else instant_text(self.at_us)

    @property
    def stop(self) -> Stop | None:
        """What the slider stands at."""
        return self.stops[self.number] if self.number >= 0 else None

    @property
    def before(self) -> Stop | None:
        """The stop before that."""
        return self.stops[self.number - 1] if self.number > 0 else None

    @property
    def after(self) -> Stop | None:
        """The stop after that."""
        return self.stops[self.number + 1] if self.number + 1 < len(self.stops) else None

    def address(self, stop: Stop | None, against: Against | None = None) -> str:
        """The page as known at a stop; at the last one, and for None, as known now."""
        query = {}
        if stop is not None and stop.number + 1 < len(self.stops):
            query["as_of"] = stop.at
        if (against or self.against) == "before":
            query["against"] = "before"
        return f"{self.path}?{urlencode(query)}" if query else self.path

    def shown_as(self, against: Against) -> str:
        """This moment, compared with another."""
        query = {"as_of": self.at} if self.at else {}
        if against == "before":
            query["against"] = "before"
        return f"{self.path}?{urlencode(query)}" if query else self.path


def asked(request: Request, now: Known) -> Moment:
    """The moment of a request: `as_of` names an instant, `stop` counts stops from 0, `against` is
    what it is compared with. Raises Refusal for one out of form."""
    found, query = stops(now), request.query_params
    against: Against = "before" if query.get("against") == "before" else "now"
    if query.get("against", "now") not in AGAINST:
        raise Refusal(400, "No such comparison", "against: expected now or before.")
    path = request.url.path
    if query.get("stop"):
        number = _number(query["stop"], found)
        at_us = None if number + 1 >= len(found) else found[number].at_us
        moment = Moment(found, number, at_us, against, path)
        is_script = request.headers.get("hx-request") == "true"
        elsewhere = None if is_script else moment.address(moment.stop)
        return Moment(found, number, at_us, against, path, elsewhere)
    at_us = _instant(query.get("as_of", ""))
    return Moment(found, stop_at(found, at_us), at_us, against, path)


def _number(text: str, found: Sequence[Stop]) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Refusal(400, "No such moment", f"stop: expected a number; found {text[:20]!r}.")
    return min(int(text), len(found) - 1)


def _instant(text: str) -> int | None:
    if not text:
        return None
    try:
        return instants.instant_us(text)
    except ValueError:
        expected = "an RFC 3339 instant with offset, such as 2026-03-31T23:59:59Z"
        raise Refusal(
            400, "No such moment", f"as_of: expected {expected}; found {text[:60]!r}."
        ) from None
