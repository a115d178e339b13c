"""Readiness and liveness that tell the truth.

Alive is a process that makes progress: a consumer that holds unread messages and stores none is
not, however well its event loop answers. Ready is one whose database answers, whose feed is read
and is not far behind, and whose sinks can be reached. An outage elsewhere makes a process not
ready; it does not make it dead, because starting it again would mend nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projections.ports import Store
from services.access import OPEN, needs
from services.doors.progress import Progress
from services.serve.background import Background

LIVE: Final = "/livez"
READY: Final = "/readyz"

STALLED_SECONDS: Final = 120.0
"""Longer than a write waits for another writer's lock, so that waiting is not taken for death."""

PING_SECONDS: Final = 2.0
SILENT_SECONDS: Final = 15.0
"""A broker answers a fetch at least every half second, if only with nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `finding` is empty where all is well."""

    ok: bool
    finding: str = ""


class Ping:
    """Asks the database something small, one question at a time: a hung one costs one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "ping")
        self._asked: asyncio.Future[int] | None = None

    async def check(self) -> Check:
        if self._asked is None or self._asked.done():
            loop = asyncio.get_running_loop()
            self._asked = loop.run_in_executor(self._thread, self._store.head)
        await asyncio.wait([self._asked], timeout=PING_SECONDS)
        if not self._asked.done():
            return Check(False, f"no answer within {PING_SECONDS:g} s")
        error = self._asked.exception()
        return Check(False, f"fails with {type(error).__name__}") if error else Check(True)


class Health:
    """The checks of one process."""

    def __init__(
        self,
        store: Store,
        doors: Mapping[str, Progress],
        background: Sequence[Background],
        lag_max: int,
    ) -> None:
        """`doors` are those to Kafka, by what is put behind the names of their checks."""
        self.stopping = False
        self._ping = Ping(store)
        self._doors = doors
        self._background = background
        self._lag_max = lag_max

    def live(self) -> Check:
        for progress in self._doors.values():
            if progress.stalled(STALLED_SECONDS):
                waiting = f"{progress.total_lag} messages wait"
                return Check(False, f"{waiting}, none was stored for {STALLED_SECONDS:g} s")
        return Check(True)

    async def ready(self) -> dict[str, Check]:
        """Every check by name."""
        found = {"process": Check(not self.stopping, "stopping" if self.stopping else "")}
        found["database"] = await self._ping.check()
        for name, progress in self._doors.items():
            found[f"kafka{name}"] = consumer(progress)
            found[f"lag{name}"] = lag(progress, self._lag_max)
        for work in self._background:
            found[work.name] = Check(*work.ready())
        return found

    def routes(self) -> list[Route]:
        """`/livez` and `/readyz`: 200 or 503, with each check as JSON. Open: probes cannot bring
        a token everywhere, and the answers hold no data."""

        @needs(OPEN)
        async def livez(_: Request) -> Response:
            return _answer({"progress": self.live()})

        @needs(OPEN)
        async def readyz(_: Request) -> Response:
            return _answer(await self.ready())

        return [Route(LIVE, livez), Route(READY, readyz)]


def consumer(progress: Progress) -> Check:
    """Whether the events topic is being read."""
    ok, finding = progress.ready()
    if not ok:
        return Check(False, finding)
    if progress.feeds and progress.polled is not None:
        silent = progress.monotonic() - progress.polled
        if silent > SILENT_SECONDS:
            return Check(False, f"the broker has not answered for {silent:.0f} s")
    return Check(True)


def lag(progress: Progress, lag_max: int) -> Check:
    """Whether what is shown is close to what was sent."""
    behind = progress.total_lag
    return Check(behind <= lag_max, f"{behind} messages behind" if behind > lag_max else "")


def _answer(checks: dict[str, Check]) -> Response:
    ok = all(check.ok for check in checks.values())
    body = {"ok": ok, "checks": {name: asdict(check) for name, check in checks.items()}}
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), 200 if ok else 503, headers, "application/json")
