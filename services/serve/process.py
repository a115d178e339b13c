"""A serving process: starts its parts, waits for the signal, ends them in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from types import FrameType
from typing import Any, Final

from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from starlette.routing import BaseRoute

from infra.eventstore.deliveries import open_deliveries
from infra.kafka import KafkaSettings, ensure_topics
from services import bootstrap, feeding
from services.api.application import mounted
from services.api.desk import Desk
from services.bootstrap import Parts, SharedIngest
from services.doors import fhir, http
from services.doors.backoff import Backoff
from services.doors.kafka import KafkaDoor
from services.notify.stream import AlertStream
from services.pages.routes import Pages
from services.serve import web
from services.serve.background import Background, Reactor
from services.serve.health import Health
from services.serve.metrics import Metrics
from services.serve.reads import Reads
from services.serve.roles import Plan, RoleError

log = logging.getLogger("caretally.serve")

STOP_SECONDS_MAX: Final = 9.0
"""After this a stop is forced. What was not durable by then is read again at the next start."""

DOORS_SECONDS_MAX: Final = 4.5
BACKGROUND_SECONDS_MAX: Final = 3.5

SUPERSEDED_POLL_SECONDS: Final = 0.25

ENDED, FAILED = 0, 1


class Signals:
    """The first SIGTERM or SIGINT asks for an orderly end, the second ends the process at once.

    Ending at once loses nothing: whatever was acknowledged is durable, whatever was not is sent or
    read again.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ended: Callable[[], bool]) -> None:
        """`ended` says whether nothing is in hand any more."""
        self.asked = asyncio.Event()
        self._ended = ended
        self._loop = loop
        self._first = True
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGALRM, self._late)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if not self._first:
            os._exit(128 + number)
        self._first = False
        # An alarm, not a timer of the loop: it comes even while a thread is waited for.
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS_MAX)
        self._loop.call_soon_threadsafe(self.asked.set)

    def _late(self, _number: int, _frame: FrameType | None) -> None:
        if self._ended():
            log.warning("a database that does not answer is not waited for any longer")
            os._exit(ENDED)
        log.error("the stop took over %g s and was forced; nothing is lost", STOP_SECONDS_MAX)
        os._exit(FAILED)


class Process:
    """The parts that a plan asks for, over one store and one ingest core."""

    def __init__(self, parts: Parts, plan: Plan, create_topics: bool = False) -> None:
        """Raises RoleError where a role cannot be served."""
        self.ended = False
        """Whether all parts have ended in order, so that nothing is in hand any more."""
        kafka = parts.settings.kafka_settings()
        self._kafka = kafka if plan.consumes or plan.notifies else None
        self._create_topics = create_topics
        self._metrics = Metrics()
        self._ingest = ingest = parts.ingest(self._metrics.seen)
        self._doors: dict[str, KafkaDoor] = {}
        if plan.consumes and kafka is not None:
            self._doors = feeding.kafka_doors(parts, kafka, ingest)
        self._reactors = _reactors(parts, plan)
        projectors = bootstrap.projectors(parts, ingest) if plan.projects else []
        feeds = feeding.background(parts, ingest, plan.listens) if plan.ingests else []
        self._background: list[Background] = [*feeds, *projectors, *self._reactors]
        self._health = Health(
            parts.store,
            {name: door.progress for name, door in self._doors.items()},
            self._background,
            parts.settings.ready_lag_max,
        )
        self._stream: AlertStream | None = None
        self._pages: Pages | None = None
        self._desk: Desk | None = None
        if plan.streams:
            ledger, reads = open_deliveries(parts.store), Reads(parts)
            self._stream = AlertStream(parts.store, ledger, noted=reads.note)
            self._pages = Pages(parts, reads, ingest)
            self._desk = Desk(parts, reads.note, ingest)
        self._settings = parts.settings
        try:
            self.application = web.app(parts, self._routes(parts, plan, ingest))
            self._server = web.server(parts.settings, self.application)
        except ValueError as error:
            raise RoleError(str(error)) from None
        self._tasks: list[asyncio.Task[None]] = []

    def _routes(self, parts: Parts, plan: Plan, ingest: SharedIngest) -> Sequence[BaseRoute]:
        """Everything served over HTTP, by role. Reads of role `api` join here."""
        progresses = [door.progress for door in self._doors.values()]
        self._metrics.follow(progresses, self._background, self._reactors)
        routes: list[BaseRoute] = [*self._health.routes(), *self._metrics.routes()]
        routes.append(web.described(parts.settings))
        if plan.takes_events:
            routes += http.routes(ingest)
            if parts.sites:
                routes += fhir.routes(ingest, parts.sites)
        if self._stream is not None:
            routes += self._stream.routes()
        if self._desk is not None:
            routes.append(mounted(self._desk, parts.settings, routes))
        if self._pages is not None:
            routes += self._pages.routes()
        return routes

    async def run(self, listener: socket.socket | None) -> int:
        """Serve until a signal, or until a part ends that never should; the exit code."""
        signals = Signals(asyncio.get_running_loop(), lambda: self.ended)
        if listener is not None:
            self._begin(self._server.serve([listener]), "http")
            log.info("HTTP is served at %s", web.address(self._settings, listener))
        if self._create_topics and self._kafka is not None:
            await _unless(signals.asked, _create_topics(self._kafka))
        for work in self._background:
            await work.start()
        if self._pages is not None:
            self._pages.start()
        for name, door in self._doors.items():
            self._begin(door.run(), f"kafka-door{name}")
        self._begin(self._until_superseded(), "ingest")
        log.info("started")
        code = await self._until(signals.asked)
        self.ended = await self._stop()
        return code

    async def _until_superseded(self) -> None:
        """Ends when a rebuild by other rules has made the store refuse this process: whoever
        starts it again gives it the new ones."""
        while self._ingest.superseded is None:
            await asyncio.sleep(SUPERSEDED_POLL_SECONDS)
        log.error("%s", self._ingest.superseded)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _until(self, asked: asyncio.Event) -> int:
        stop = asyncio.create_task(asked.wait(), name="stop")
        done, _ = await asyncio.wait([stop, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        if stop in done:
            log.info("stopping: the batch in hand is finished first")
            return ENDED
        for task in done:
            error = None if task.cancelled() else task.exception()
            log.error("%s ended by itself", task.get_name(), exc_info=error)
        return FAILED

    async def _stop(self) -> bool:
        """Doors first, so that nothing more comes in; then the rest, so that all of it goes out.

        Gives whether everything ended in time.
        """
        self._health.stopping = True
        if self._stream is not None:
            await self._stream.stop()  # else the server would wait for its readers
        if self._pages is not None:
            await self._pages.stop()
        if self._desk is not None:
            self._desk.close()
        self._server.should_exit = True
        for task in self._tasks:
            if task.get_name() != "http":
                task.cancel()
        in_time = await _ended(self._tasks, DOORS_SECONDS_MAX)
        stops = [asyncio.create_task(w.stop(), name=w.name) for w in self._background]
        in_time = await _ended(stops, BACKGROUND_SECONDS_MAX) and in_time
        self._say_what_was_done()
        return in_time

    def _say_what_was_done(self) -> None:
        for name, door in self._doors.items():
            done = door.progress
            log.info("Kafka%s: %d messages in %d batches stored", name, done.messages, done.batches)
        for reactor in self._reactors:
            log.info("%s: %d transitions delivered", reactor.name, reactor.sent)
        log.info("stopped")


def _reactors(parts: Parts, plan: Plan) -> list[Reactor]:
    try:
        return bootstrap.reactors(parts) if plan.notifies else []
    except ValueError as error:
        raise RoleError(str(error)) from None


async def _create_topics(kafka: KafkaSettings) -> None:
    """Make the missing topics; a broker that is not there yet is waited for."""
    backoff = Backoff(first=0.2)
    while True:
        try:
            for name in await ensure_topics(kafka):
                log.info("topic %s created", name)
            return
        except (KafkaError, OSError) as error:
            log.warning("the topics cannot be created yet: %s", type(error).__name__)
        await asyncio.sleep(backoff.delay())


async def _unless(asked: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work to its end, or leave it when a stop is asked for."""
    stop, doing = asyncio.create_task(asked.wait()), asyncio.create_task(work)
    await asyncio.wait([stop, doing], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if doing.done():
        doing.result()
    doing.cancel()


async def _ended(tasks: Sequence[asyncio.Task[None]], seconds: float) -> bool:
    """Wait for tasks to end, and name those that do not; whether all did."""
    if not tasks:
        return True
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        log.warning("%s did not end in %g s", task.get_name(), seconds)
    return not late
