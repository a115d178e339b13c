"""Asks a site's server for what its notifications did not bring: resources, and lost events.

What is wanted stands in letters, so nothing is forgotten by a crash. What is fetched goes in by
the same way as everything else, in the transaction that marks the letters as taken.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from infra.fhirserver import Refused, ServerOut
from projections.ports import DeadLetter
from projections.translated import Translations
from services.counting import Counting
from services.ingest import Delivery, Ingest
from services.serve.worker import Worker
from services.translate.marks import FETCH, FILLED, marked
from services.translate.site import Site
from services.translate.taking import FETCH_KEY
from services.translate.unfold import unfold
from services.wire.modes import HISTORY, is_history
from services.wire.refusal import Refused as WireRefused

log = logging.getLogger("caretally.fhir")

LETTERS = 200
"""Letters looked at together: several that want one resource are served by one request."""
LOOK_SECONDS = 1.0
AGAIN_SECONDS = 600.0
"""What was refused, or cannot be filled, is tried again after this."""
MARGIN = timedelta(minutes=5)
"""A search begins so long before the last notification that was heard."""
EVER = "2010-01-01T00:00:00Z"


class Server(Protocol):
    """What is asked of `infra.fhirserver.FhirServer`."""

    def read(self, reference: str) -> bytes | None: ...
    def search(self, query: str) -> Iterable[bytes]: ...
    def events(self, subscription: str, first: int, last: int) -> bytes | None: ...
    def status(self, subscription: str) -> bytes | None: ...
    def close(self) -> None: ...


class Pulling(Worker):
    """The pull of one site. Survives outages of the server and of the store."""

    def __init__(
        self,
        site: Site,
        server: Server,
        translations: Translations,
        ingest: Ingest,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        name = f"pull-{site.name}"
        super().__init__(name, log, f"{name}: nothing is fetched", retry_seconds=1.0)
        self._site, self._server = site, server
        self._queries = site.pull.queries if site.pull else []
        self._translations, self._ingest = translations, ingest
        self._monotonic = monotonic
        self._counting = Counting(site, server, ingest, monotonic)
        self._not_before: dict[int, float] = {}

    async def turn(self) -> float:
        await self.call(self.look)
        return LOOK_SECONDS

    def fault_of(self, error: Exception) -> str:
        return str(error) if isinstance(error, ServerOut) else super().fault_of(error)

    async def stop(self) -> None:
        """End; a request in hand is not waited for, its letters are served after the next start."""
        if self._task is not None:
            self._task.cancel()
        await super().stop()
        self._server.close()

    def look(self) -> None:
        """Fetch what letters ask for. Raises `ServerOut`, and what an outage of the store raises;
        what was fetched before that is stored."""
        self._counting.look()
        after, key = 0, f"{FETCH_KEY}{self._site.name}"
        while letters := self._translations.waiting(key, after, LETTERS):
            after = letters[-1].id
            self._serve([each for each in letters if self._is_due(each)])

    def _is_due(self, letter: DeadLetter) -> bool:
        return self._not_before.get(letter.id, 0.0) <= self._monotonic()

    def _serve(self, letters: Sequence[DeadLetter]) -> None:
        wanted: dict[str, list[DeadLetter]] = {}
        hints: list[DeadLetter] = []
        for letter in letters:
            reference = _wish(letter).get("reference")
            if isinstance(reference, str):
                wanted.setdefault(reference, []).append(letter)
            else:
                hints.append(letter)
        for reference, same in wanted.items():
            self._fetch(reference, same)
        if hints:
            self._fill(hints)

    def _fetch(self, reference: str, letters: Sequence[DeadLetter]) -> None:
        try:
            value = self._server.read(reference)
        except Refused as refusal:
            self._put_off(letters, refusal)
            return
        if value is not None and not _is_named(value, reference):
            log.warning("%s: another resource was answered than the one asked for", self.name)
            self._put_off(letters, None)
            return
        if value is None:
            gone = {"request": {"method": "DELETE", "url": reference}}
            value = json.dumps(gone).encode()
        self._take(value, letters)

    def _fill(self, letters: Sequence[DeadLetter]) -> None:
        """Lost events from the server's own list where it has one, else by searches."""
        rest = [letter for letter in letters if not self._list_events(letter)]
        if not rest:
            return
        if not self._queries:
            log.warning("%s: no queries are configured that could fill a gap", self.name)
            self._put_off(rest, None)
            return
        since = _earlier(min(str(_wish(letter).get("since") or "") for letter in rest))
        try:
            for query in self._queries:
                for page in self._server.search(query.replace("{since}", since)):
                    self._take(page, ())
        except Refused as refusal:
            self._put_off(rest, refusal)
            return
        self._take(None, rest)

    def _list_events(self, letter: DeadLetter) -> bool:
        wish = _wish(letter)
        first, last, name = wish.get("from"), wish.get("to"), wish.get("subscription")
        if not (isinstance(first, int) and isinstance(last, int) and isinstance(name, str)):
            return False
        found = self._server.events(name, first, last)
        if found is None:
            return False
        whole = _tells(found, self._site.source, first, last)
        self._take(found, [letter] if whole else ())
        return whole

    def _take(self, value: bytes | None, letters: Sequence[DeadLetter]) -> None:
        """Put in what was fetched, and mark the letters that wanted it, in one transaction."""
        name, origin = self._site.name, f"fhir-pull:{self._site.name}"
        history = bool(letters) and all(is_history(letter.headers) for letter in letters)
        more = ((HISTORY, b"true"),) if history else ()
        batch = [] if value is None else [Delivery(value, None, marked(name, *more), origin)]
        filled = marked(name, (FILLED, b"true"))
        batch += [Delivery(b"", None, filled, letter.origin, letter.id) for letter in letters]
        self._ingest.take(batch)

    def _put_off(self, letters: Sequence[DeadLetter], refusal: Refused | None) -> None:
        if refusal is not None:
            log.warning("%s: %s", self.name, refusal)
        again = self._monotonic() + AGAIN_SECONDS
        self._not_before.update({letter.id: again for letter in letters})


def _wish(letter: DeadLetter) -> dict[str, Any]:
    found = json.loads(dict(letter.headers).get(FETCH, b"{}"))
    return found if isinstance(found, dict) else {}


def _is_named(value: bytes, reference: str) -> bool:
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    named = isinstance(found, dict) and f"{found.get('resourceType')}/{found.get('id')}"
    return named == reference


def _tells(page: bytes, base: str, first: int, last: int) -> bool:
    """Whether a notification tells of every event from first to last."""
    try:
        said = unfold(page, base).notification
    except WireRefused:
        return False
    told = sum(first <= number <= last for number in set(said.numbers)) if said else 0
    return told == last - first + 1


def _earlier(since: str) -> str:
    try:
        at = datetime.fromisoformat(since.replace("Z", "+00:00")).astimezone(UTC) - MARGIN
    except ValueError:
        return EVER
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
