"""Damaged FHIR by the million: no exception escapes, every message has one end, no minute is
invented.

    python -m tests.fhir.fuzz --inputs 1000000 --seed 1

Goes through the real feed and the real ingest core over a store in memory. Ends with 1 at the
first fault, and prints the message that did it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from typing import Any

import msgspec

from infra.eventstore import open_store
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.translate.marks import marked
from tests.fencing import Fault, Fenced
from tests.fhir.damage import Damage
from tests.fhir.made import PROFILE, Fed, site
from tests.fhir.minutes import invented

BATCH = 100
AFRESH = 50
"""After so many batches a new store is begun: ids come again and again."""
LOGGED = ("time.logged.v1", "time.amended.v1")
DEFAULT_ROLE = {**PROFILE["time"], "default_role": "clinical_staff"}


class Fuzz:
    """`figures` counts messages, events, entries of time, letters, and what was ignored."""

    def __init__(self, seed: int) -> None:
        self.figures: Counter[str] = Counter()
        self._damage, self._fence = Damage(seed), Fenced()
        profile: dict[str, Any] = {"time": DEFAULT_ROLE} if seed % 2 else {}
        self._site = site(**profile)
        self._profile = {**PROFILE, **profile}

    def run(self, inputs: int) -> None:
        """Raises Fault."""
        log = logging.getLogger("caretally.fhir")
        log.addHandler(self._fence)
        try:
            for number, start in enumerate(range(0, inputs, BATCH)):
                if number % AFRESH == 0:
                    self._fed = Fed(open_store("memory:"), self._site)
                self._batch(min(BATCH, inputs - start))
        finally:
            log.removeHandler(self._fence)

    def _batch(self, count: int) -> None:
        values = [self._damage.message() for _ in range(count)]
        batch = [Delivery(value, None, marked("river"), "fuzz:0") for value in values]
        try:
            opened = self._fed.feed.open(batch)
            outcome = self._fed.ingest.take(batch)
        except Exception as error:
            raise Fault(
                f"{type(error).__name__}: {error} {_culprit(self._site, values)}"
            ) from error
        if self._fence.heard:
            raise Fault(f"{self._fence.heard[0]} {_culprit(self._site, values)}")
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
        rows = {index for index, _ in opened.resources}
        quiet = [n for n, result in enumerate(opened.results) if result is None and n not in events]
        if len(quiet) - len(rows & set(quiet)) > opened.ignored.total():
            raise Fault("a resource ended as nothing")

    def _check_minutes(self, opened: Opened) -> None:
        for item in opened.incoming:
            if item.accepted.name in LOGGED:
                self.figures["entries"] += 1
                value = opened.pieces[item.piece].value or b"{}"
                resource = msgspec.json.decode(value)
                if resource.get("resourceType") == "Bundle":
                    resource = resource["entry"][0]["resource"]
                data = msgspec.json.decode(item.accepted.data)
                if fault := invented(resource, data, self._profile):
                    raise Fault(f"{fault}: {value!r}")


def _culprit(profile: Any, values: list[bytes]) -> str:
    """The one message that does it alone, where one does."""
    for value in values:
        fence = Fenced()
        logging.getLogger("caretally.fhir").addHandler(fence)
        try:
            delivery = Delivery(value, None, marked("river"), "fuzz:0")
            Fed(open_store("memory:"), profile).ingest.take([delivery])
        except Exception:
            return repr(value)
        finally:
            logging.getLogger("caretally.fhir").removeHandler(fence)
        if fence.heard:
            return repr(value)
    return "(no single message)"


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
