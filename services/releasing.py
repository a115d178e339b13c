"""Letters that wait for an identity are put in again once it is there."""

from __future__ import annotations

import logging

from projections.ports import DeadLetter, Store
from projections.translated import Translations
from services.ingest import Delivery, Ingest
from services.serve.worker import Worker

log = logging.getLogger("caretally.review")

PAGE_LETTERS = 100
LOOK_SECONDS = 1.0
"""How often it is looked whether something waits no longer."""

QUIET_LOOKS = 30
"""Every so many looks at a log that does not grow, letters are looked for all the same."""


def delivery_of(letter: DeadLetter) -> Delivery:
    """A letter as it first came."""
    return Delivery(letter.value, letter.key, letter.headers, letter.origin, letter.id)


def release(translations: Translations, ingest: Ingest) -> int:
    """Put in again whatever waits no longer; how many letters were taken.

    What is refused again waits for something else from then on, and tells so. Raises whatever an
    outage of the store raises; the next call goes on from there.
    """
    taken, after = 0, 0
    while letters := translations.released(after, PAGE_LETTERS):
        outcome = ingest.take([delivery_of(letter) for letter in letters])
        taken += sum(result is None for result in outcome.results)
        after = letters[-1].id
    return taken


class Releasing(Worker):
    """Looks for released letters in the background. Survives outages of the store."""

    def __init__(self, store: Store, translations: Translations, ingest: Ingest) -> None:
        super().__init__("review", log, "letters are not released")
        self._store, self._translations, self._ingest = store, translations, ingest
        self._head = -1
        self._quiet = 0

    async def turn(self) -> float:
        await self.call(self.look)
        return LOOK_SECONDS

    def look(self) -> None:
        """Release what is there, if the log has grown since the last look, for identities are
        events; and now and then in any case, for a letter may be written just after its link."""
        head = self._store.head()
        self._quiet = self._quiet + 1 if head == self._head else 0
        if self._quiet % QUIET_LOOKS:
            return
        if taken := release(self._translations, self._ingest):
            log.info("%d letters that waited for an identity were taken", taken)
        self._head = head
