"""Figures for Prometheus. Labels are feeds, sinks and reasons: few, and about no patient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.access import Right, needs
from services.doors.progress import Progress
from services.ingest import Outcome
from services.serve.background import Background, Reactor

METRICS: Final = "/metrics"
SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter


class Metrics:
    """The registry of one process. Counts begin at its start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._accepted = self._counter("events_accepted", "Events that are new and stored.")
        self._duplicates = self._counter("duplicates", "Events that were stored before.")
        self._dead_letters = self._counter("dead_letters", "Messages refused.", ("reason",))
        self._ignored = self._counter("ignored", "Resources with nothing of ours.", ("why",))
        self._seconds = Histogram(
            "caretally_batch_seconds",
            "Duration of a batch: decode, fold, one durable transaction. Its count is the batches.",
            registry=self.registry,
            buckets=SECONDS,
        )

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"caretally_{name}", text, labels, registry=self.registry)

    def seen(self, outcome: Outcome, seconds: float) -> None:
        """A batch is durable."""
        self._accepted.inc(outcome.accepted)
        self._duplicates.inc(outcome.duplicates)
        self._seconds.observe(seconds)
        for why, count in outcome.ignored.items():
            self._ignored.labels(why).inc(count)
        if outcome.dead_lettered:
            for rejection in outcome.results:
                if rejection is not None:
                    self._dead_letters.labels(rejection.reason.value).inc()

    def follow(
        self,
        doors: Collection[Progress],
        background: Sequence[Background],
        reactors: Sequence[Reactor],
    ) -> None:
        """Also show the state of these, as it is when somebody asks."""
        self.registry.register(_States(doors, background, reactors))

    def routes(self) -> list[Route]:
        @needs(Right.WATCH)
        async def metrics(_: Request) -> Response:
            text = generate_latest(self.registry)
            return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

        return [Route(METRICS, metrics)]


class _States(Collector):
    def __init__(
        self,
        doors: Collection[Progress],
        background: Sequence[Background],
        reactors: Sequence[Reactor],
    ) -> None:
        self._doors = doors
        self._background = background
        self._reactors = reactors

    def collect(self) -> Iterable[Metric]:
        if self._doors:
            yield from _consumers(self._doors)
        yield _ready(self._background)
        yield from _sinks(self._reactors)


def _consumers(doors: Collection[Progress]) -> Iterable[Metric]:
    lag = GaugeMetricFamily(
        "caretally_lag_messages", "Messages not yet stored.", labels=("topic", "partition")
    )
    for feed, behind in (item for door in doors for item in dict(door.lag).items()):
        topic, _, partition = feed.rpartition("/")
        lag.add_metric((topic, partition), behind)
    yield lag
    held = sum(door.feeds for door in doors)
    yield GaugeMetricFamily("caretally_partitions", "Partitions held.", held)
    held_back = any(door.outage_since is not None for door in doors)
    yield GaugeMetricFamily("caretally_held_back", "1 while a fault holds reading.", held_back)
    given_up = any(door.given_up for door in doors)
    yield GaugeMetricFamily("caretally_breaker_open", "1 once a bad feed is left.", given_up)
    waiting = sum(len(door.problems) for door in doors)
    yield GaugeMetricFamily("caretally_problems", "Feeds that wait for a person.", waiting)


def _ready(background: Sequence[Background]) -> Metric:
    ready = GaugeMetricFamily(
        "caretally_background_ready", "1 while it does its work.", labels=("name",)
    )
    for work in background:
        ready.add_metric((work.name,), work.ready()[0])
    return ready


def _sinks(reactors: Sequence[Reactor]) -> Iterable[Metric]:
    sent = CounterMetricFamily(
        "caretally_transitions_sent", "Deliveries acknowledged.", labels=("sink",)
    )
    outage = GaugeMetricFamily(
        "caretally_sink_outage", "1 while a fault holds delivery.", labels=("sink",)
    )
    for reactor in reactors:
        sent.add_metric((reactor.name,), reactor.sent)
        outage.add_metric((reactor.name,), bool(reactor.outage))
    yield sent
    yield outage
