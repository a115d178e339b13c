"""Damaged HL7 v2 by the million: no exception escapes, every message has one end, no minute is
invented.

    python -m tests.hl7v2.fuzz --inputs 1000000 --seed 1

Goes through the real reader, feed and ingest core over a store in memory. Ends with 1 at the first
fault, and prints the message that did it.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import time
from collections import Counter

import msgspec

from infra.eventstore import open_store
from infra.eventstore.translated import open_translations
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.translate.feed import FhirFeed
from services.translate.feeds import Feeds
from services.translate.hl7v2.feed import Hl7Feed
from services.translate.marks import HL7V2, marked
from tests.fencing import Fault, Fenced
from tests.hl7v2.er7damage import Damage
from tests.hl7v2.sent import Sent, site

BATCH = 100
AFRESH = 20
"""After so many batches a new store is begun: things come again and again."""
LOGGED = ("time.logged.v1", "time.amended.v1")


class Fuzz:
    """`figures` counts messages, events, entries of time, letters, and what was ignored."""

    def __init__(self, seed: int) -> None:
        self.figures: Counter[str] = Counter()
        self._damage, self._fence = Damage(seed), Fenced()
        self._site = site(senders=[] if seed % 2 else ["EHR|RIVER"])
        self._told: list[bytes] = []

    def run(self, inputs: int) -> None:
        """Raises Fault."""
        log = logging.getLogger("caretally.hl7v2")
        log.addHandler(self._fence)
        try:
            for number, start in enumerate(range(0, inputs, BATCH)):
                if number % AFRESH == 0:
                    self._begin()
                self._batch(min(BATCH, inputs - start))
        finally:
            log.removeHandler(self._fence)

    def _begin(self) -> None:
        store = open_store("memory:")
        self._sent, self._told = Sent(store, self._site), []
        sites = {self._site.name: self._site}
        self._feeds = Feeds(open_translations(store), FhirFeed(sites), Hl7Feed(sites))

    def _batch(self, count: int) -> None:
        values = [self._damage.message() for _ in range(count)]
        batch = [Delivery(value, None, marked("river", form=HL7V2), "fuzz:0") for value in values]
        self._told += values
        try:
            opened = self._feeds.open(batch)
            outcome = self._sent.ingest.take(batch)
        except Exception as error:
            raise Fault(f"{type(error).__name__}: {error} {self._culprit(values)}") from error
        if self._fence.heard:
            raise Fault(f"{self._fence.heard[0]} {self._culprit(values)}")
        self._check_ends(opened, values)
        self._check_minutes(opened)
        self.figures["messages"] += count
        self.figures["events"] += outcome.accepted
        self.figures["letters"] += outcome.dead_lettered
        self.figures["ignored"] += outcome.ignored.total()

    @staticmethod
    def _check_ends(opened: Opened, values: list[bytes]) -> None:
        assert opened.whose is not None
        if set(opened.whose) != set(range(len(values))):
            raise Fault("a message ended as nothing")
        if not all(result is None or result.sentence for result in opened.results):
            raise Fault("a refusal without a sentence")
        events = {item.piece for item in opened.incoming}
        quiet = [n for n, result in enumerate(opened.results) if result is None and n not in events]
        if len(quiet) > opened.ignored.total():
            raise Fault("a message ended as nothing")

    def _check_minutes(self, opened: Opened) -> None:
        """Seconds are sixty times a quantity that some message told, and instants are a message's
        own to the second. Bytes are looked at, not what our reader made of them."""
        for item in opened.incoming:
            if item.accepted.name not in LOGGED:
                continue
            self.figures["entries"] += 1
            data = msgspec.json.decode(item.accepted.data)
            if "seconds" in data:
                whole = data["seconds"] % 60 == 0
                told = [rf"{data['seconds'] // 60}(?!\d)", data["performed_on"].replace("-", "")]
            else:
                told, whole = [_digits(data["started_at"]), _digits(data["ended_at"])], True
            if not whole or not all(self._said(each) for each in told):
                value = opened.pieces[item.piece].value
                raise Fault(f"minutes that no message told: {data} {value!r}")

    def _said(self, digits: str) -> bool:
        return re.search(rb"(?<!\d)0*%b" % digits.encode(), b"".join(self._told)) is not None

    def _culprit(self, values: list[bytes]) -> str:
        """The one message that does it alone, where one does."""
        for value in values:
            self._fence.heard.clear()
            delivery = Delivery(value, None, marked("river", form=HL7V2), "fuzz:0")
            try:
                Sent(open_store("memory:"), self._site).ingest.take([delivery])
            except Exception:
                return repr(value)
            if self._fence.heard:
                return repr(value)
        return "(no single message)"


def _digits(instant: str) -> str:
    """`20250305100000` of `2025-03-05T10:00:00-05:00`."""
    return "".join(each for each in instant[:19] if each.isdigit())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    fuzz, began = Fuzz(options.seed), time.monotonic()
    try:
        fuzz.run(options.inputs)
    except Fault as fault:
        print(fault)
        return 1
    figures = ", ".join(f"{name} {count:,}" for name, count in fuzz.figures.items())
    print(f"seed {options.seed}: {figures}; no fault, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
