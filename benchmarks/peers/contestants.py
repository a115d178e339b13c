"""Who takes part, where it runs, and what of the job it does."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

EMMETT = str(Path(__file__).parent / "emmett" / "peer.mjs")
OURS = "benchmarks.peers.ours"
EACH, A_RUN, NONE = "each event", "each run", "none"


class Promises(NamedTuple):
    """What a contestant does of the job beside the seconds and units. All take corrections back
    and drop duplicates for ever: the check of the result says so."""

    durable: str
    """When a result is sure to be there after a crash."""
    transitions: str
    """For each event, for each run of its job, or not at all."""
    log: str
    """Whether the events are kept, so that all can be worked out again."""
    reasons: str = "no"
    as_of: str = "no"
    """Whether it can say what was known at an earlier instant."""


class Contestant(NamedTuple):
    name: str
    module: str
    store: str
    """`sqlite`, `postgres`, `kafka` or `none`: what the runner makes for it."""
    promises: Promises
    environment: str = ""
    """The peer's own; '' for the product's."""
    share: int = 1
    """It takes one of so many parts of the events: one that works event by event is slow, and its
    rate hangs on a patient's history, not on the number of patients."""
    processes: int = 1
    """Over one store; each takes the patients that are its own."""
    options: tuple[str, ...] = ()
    has_pace: bool = True
    """Whether it can take events as they come, so that event to result has a meaning."""

    @property
    def is_ours(self) -> bool:
        return self.name.startswith("caretally")

    @property
    def ours(self) -> str:
        """Beside which of ours it stands."""
        if self.store == "kafka":
            return "caretally, from Kafka"
        return "caretally, PostgreSQL" if self.store == "postgres" else "caretally, SQLite"


_OURS = Promises("each batch", EACH, "yes", "yes", "yes")
_BY_EVENT = Promises("each event", EACH, "yes", as_of="by version")

CONTESTANTS = (
    Contestant("caretally, SQLite", OURS, "sqlite", _OURS),
    Contestant("caretally, PostgreSQL", OURS, "postgres", _OURS),
    Contestant("caretally, from Kafka", "benchmarks.peers.ours_from_kafka", "kafka", _OURS),
    Contestant("caretally, 2 x SQLite", OURS, "sqlite", _OURS, processes=2),
    Contestant("caretally, 2 x PostgreSQL", OURS, "postgres", _OURS, processes=2),
    Contestant(
        "eventsourcing, SQLite",
        "benchmarks.peers.documented_eventsourcing",
        "none",
        _BY_EVENT,
        "eventsourcing",
        share=25,
    ),
    Contestant(
        "eventsourcing, PostgreSQL",
        "benchmarks.peers.documented_eventsourcing",
        "postgres",
        _BY_EVENT,
        "eventsourcing",
        share=25,
    ),
    Contestant("emmett, SQLite", EMMETT, "none", _BY_EVENT, "emmett-sqlite", share=25),
    Contestant("emmett, PostgreSQL", EMMETT, "postgres", _BY_EVENT, "emmett-postgresql", share=25),
    Contestant(
        "bytewax, recovery",
        "benchmarks.peers.bytewax_flow",
        "none",
        Promises("each second", EACH, "no"),
        "bytewax",
    ),
    Contestant(
        "quixstreams, from Kafka",
        "benchmarks.peers.quix_app",
        "kafka",
        Promises("each 5 s", EACH, "in Kafka"),
        "quixstreams",
    ),
    Contestant(
        "pathway, persistence",
        "benchmarks.peers.pathway_tables",
        "none",
        Promises("each second", A_RUN, "no"),
        "pathway",
    ),
    Contestant(
        "SQL every second, PostgreSQL",
        "benchmarks.peers.sql_on_timer",
        "postgres",
        Promises("each run", A_RUN, "yes"),
        "sql",
    ),
    Contestant(
        "hand-written script, SQLite",
        "benchmarks.peers.sqlite_script",
        "none",
        Promises("each batch", EACH, "yes"),
    ),
    Contestant(
        "DuckDB over the file",
        "benchmarks.peers.duckdb_query",
        "none",
        Promises("at the end", NONE, "no"),
        "duckdb",
        has_pace=False,
    ),
    Contestant("dict, json", "benchmarks.peers.dict_fold", "none", Promises("never", EACH, "no")),
    Contestant(
        "dict, msgspec",
        "benchmarks.peers.dict_fold",
        "none",
        Promises("never", EACH, "no"),
        "dict",
        options=("msgspec",),
    ),
)
