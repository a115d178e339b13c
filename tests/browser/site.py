"""The simulated clinic behind real pages on a real server, on a day of its own."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from infra.settings import Settings
from services.bootstrap import Parts, composed
from services.demo.clinic import PRACTICE, Clinic
from services.demo.server import http_server
from services.demo.vocabulary import Message, to_line
from services.doors.files import ingest_file
from services.ingest import Delivery, Outcome
from services.pages.routes import Pages
from services.serve.reads import Reads

TODAY = date(2025, 11, 24)
MONTH = "2025-11"
SEED, PATIENTS = 7, 90
HISTORY_BATCH = 500


class Site:
    """One store, one ingest core, and a server that can be ended and begun again."""

    def __init__(self, parts: Parts, clinic: Clinic) -> None:
        self.parts, self.clinic = parts, clinic
        self.core = parts.ingest()
        self._serving = ExitStack()
        self._port = 0
        self.address = ""

    @property
    def board(self) -> str:
        """The clinic's running month."""
        return f"{self.address}/board/{PRACTICE}/{MONTH}"

    def start(self) -> None:
        """Serve; after `stop` at the same address as before."""
        pages = Pages(self.parts, Reads(self.parts), self.core).routes()
        self.address = self._serving.enter_context(http_server(self.parts, pages, self._port))
        self._port = int(self.address.rpartition(":")[2])

    def stop(self) -> None:
        self._serving.close()

    def take(self, messages: Iterable[Message]) -> Outcome:
        """Events as they come through any door."""
        return self.core.take([Delivery(to_line(said), None, (), "test") for said in messages])


def clock() -> int:
    """Noon in the clinic's day, for ever."""
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 17, tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000


@contextmanager
def made(folder: Path, patients: int = PATIENTS) -> Iterator[Site]:
    """The clinic with its history, not served yet."""
    clinic = Clinic(SEED, TODAY, patients)
    history = folder / "history.jsonl.gz"
    with gzip.open(history, "wb") as file:
        file.writelines(map(to_line, clinic.history()))
    settings = Settings.model_construct(database=f"sqlite:///{folder}/store.db")
    with composed(settings, clock) as parts:
        found = Site(parts, clinic)
        ingest_file(found.core, parts.store, history, HISTORY_BATCH)
        yield found


@contextmanager
def site(folder: Path, patients: int = PATIENTS) -> Iterator[Site]:
    """The clinic with its history, served."""
    with made(folder, patients) as found:
        found.start()
        try:
            yield found
        finally:
            found.stop()
