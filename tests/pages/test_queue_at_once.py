"""Several hands on one letter at the same moment, from processes of their own over one database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from infra.codec import decode_event
from infra.eventstore import open_store
from infra.eventstore.letters import open_letters
from projections.letters import DeadLetter, LetterMoved
from services.bootstrap import Parts
from services.dead_letters import replay_letters
from services.ingest import Busy, Ingest
from services.pages.queue.acting import Hand, correct, replay
from tests.audit.growing import GrowingLog
from tests.pages.queueing import entry, indented
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

ROUNDS = 4
HAND = Hand("Ada Byron", "the nurse said so", lambda _: True)
ORIGINAL = entry("as-it-came")
"""As a release left it that did not know its type: it can be taken now."""

Doing = Callable[[Parts, Ingest, DeadLetter], object]


def correction(id: str) -> Doing:
    text = indented(entry(id))
    return lambda parts, core, letter: correct(parts, core, letter, text, HAND)


def command(_: Parts, core: Ingest, letter: DeadLetter) -> object:
    return list(replay_letters(core, [letter], 10))


HANDS: list[Doing] = [
    correction("said-by-one"),
    correction("said-by-another"),
    lambda parts, core, letter: replay(parts, core, letter, HAND),
    command,
]


def one(url: str, log: GrowingLog, doing: Doing, start: Barrier) -> str:
    """One hand, from a process of its own: what became of it."""
    store = open_store(url)
    parts = replace(log.parts, store=store)
    core = Ingest(store, parts.clock, parts.book, parts.settings.policy_of)
    (letter,) = open_letters(store).whole([1])
    start.wait()
    try:
        doing(parts, core, letter)
    except (LetterMoved, Busy) as error:
        return type(error).__name__
    finally:
        store.close()
    return "done"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/store.db"


@pytest.mark.parametrize("first", range(ROUNDS))
def test_a_letter_becomes_one_event_whoever_is_faster(url: str, first: int) -> None:
    """Corrections to events of different ids, the letter as it came by a person and by a command:
    one of these events is in the log, and if a person took it their act is beside the letter."""
    log = GrowingLog(open_store(url))
    sentence = "type: expected an event type of the contract; found 'time.logged.v1'."
    raw = json.dumps(ORIGINAL).encode()
    log.store.add_dead_letters(
        [DeadLetter("http", "unknown-type", "type", sentence, raw, None, (), 1)]
    )
    hands = [*HANDS[first:], *HANDS[:first]]
    start = Barrier(len(hands))
    with ThreadPoolExecutor(len(hands)) as pool:
        outcomes = [pool.submit(one, url, log, doing, start) for doing in hands]
    assert "done" in [each.result() for each in outcomes]
    (stored,) = log.store.log(0, 10)
    acts = open_letters(log.store).acts(1)
    assert len(acts) <= 1
    (letter,) = log.store.dead_letters()
    assert letter.replayed_at_us is not None
    assert letter.value == raw
    corrected = [json.loads(act.value)["id"] for act in acts if act.value is not None]
    assert decode_event(stored).id == (corrected[0] if corrected else "as-it-came")
    log.store.close()
