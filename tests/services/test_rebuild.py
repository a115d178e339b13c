"""A rebuild beside live: the same bytes, whatever comes in meanwhile, and no gap for a reader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.workload import lines
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.eventstore import open_store
from infra.eventstore.rebuilding import open_rebuilding
from projections.ports import ReadModelsMoved, Store
from projections.rebuilding import Kind, RebuildTaken
from services.ingest import Delivery, Ingest
from services.rebuilding import Remaker, checked, rebuild
from services.replay import Replay
from tests.postgres import postgres_server, postgres_url
from tests.services.command import ROOT, Command, command
from tests.services.serving import serving

__all__ = ["command", "postgres_server", "postgres_url"]

MAKING = "rules a"
RECORDED_AT_US = 1_742_000_000_000_000


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/care.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


def policy(_: str) -> Policy:
    return Policy()


def without_pooling(_: str) -> Policy:
    return replace(Policy(), pool_practitioner_time=False, date_of_service="month-end")


def said(events: int, seed: int = 1) -> list[bytes]:
    return [line.rstrip() for line in lines(events, seed)]


def ingest(store: Store, messages: list[bytes], at_once: int = 100, pause: float = 0.0) -> None:
    core = Ingest(store, lambda: RECORDED_AT_US, BOOK, policy)
    for start in range(0, len(messages), at_once):
        chunk = messages[start : start + at_once]
        core.take(deliveries(chunk))
        time.sleep(pause)


def deliveries(messages: list[bytes]) -> list[Delivery]:
    return [Delivery(message, None, (), "test") for message in messages]


def writer(store: Store, policies: Any, making: str) -> Ingest:
    """An ingest core as a process makes it at its start."""
    makings = frozenset({making, open_rebuilding(store).making()})
    return Ingest(store, lambda: RECORDED_AT_US, BOOK, policies, makings=makings)


def replayed(messages: list[bytes], policies: Any = policy) -> list[bytes]:
    replay = Replay()
    for message in messages:
        assert replay.take(message) is None
    return [assessment_json(found) for found in replay.answers(BOOK, policies)]


def spoil(store: Store, statement: str) -> None:
    """Change the live read model behind everybody's back."""
    port = open_rebuilding(store)
    with port._transaction(True) as c:  # type: ignore[attr-defined]
        c.execute(statement)


def test_a_rebuild_of_what_is_right_changes_no_byte(store: Store) -> None:
    messages = said(1_000)
    ingest(store, messages)
    before = list(store.assessments())
    assert rebuild(open_rebuilding(store), Remaker(BOOK, policy), MAKING) is False
    assert list(store.assessments()) == before == replayed(messages)
    assert list(open_rebuilding(store).differences()) == []
    assert open_rebuilding(store).making() == MAKING


def test_what_was_wrong_is_named_and_right_afterwards(store: Store) -> None:
    """A missing month, one too many, one with another body: each is told with its reason."""
    messages = said(1_000)
    ingest(store, messages)
    right = list(store.assessments())
    where = "practice_id = 'practice-0' AND patient_id = 'pt-000000' AND month ="
    spoil(store, f"DELETE FROM assessments WHERE {where} '2025-01'")
    spoil(store, f"UPDATE assessments SET month = '2031-01' WHERE {where} '2025-02'")
    spoil(
        store,
        "UPDATE assessments SET status = 'claimed' WHERE practice_id = 'practice-1' "
        "AND patient_id = 'pt-000001' AND month = '2025-02'",
    )
    found = list(checked(open_rebuilding(store), Remaker(BOOK, policy), lambda *_: None))
    assert list(store.assessments()) != right
    rebuild(open_rebuilding(store), Remaker(BOOK, policy), MAKING)
    told = list(open_rebuilding(store).differences())
    assert told == found
    assert [(d.patient_id, d.month, d.kind, d.members) for d in told] == [
        ("pt-000000", "2025-01", Kind.MISSING, ()),
        ("pt-000000", "2025-02", Kind.MISSING, ()),
        ("pt-000000", "2031-01", Kind.LEFT_OVER, ()),
        ("pt-000001", "2025-02", Kind.DIFFERENT, ("row",)),
    ]
    assert list(store.assessments()) == right


def test_a_changed_policy_reaches_every_month_and_says_what_changed(store: Store) -> None:
    messages = said(1_000)
    ingest(store, messages)
    rebuild(open_rebuilding(store), Remaker(BOOK, without_pooling), "rules b")
    assert list(store.assessments()) == replayed(messages, without_pooling)
    told = list(open_rebuilding(store).differences())
    assert told
    assert all("date_of_service" in d.members for d in told)
    assert not any("seconds" in d.members for d in told)


def test_no_byte_differs_while_events_come_in(store: Store, url: str) -> None:
    """Ingest goes on during the rebuild; a reader never sees an empty or a mixed answer."""
    messages = said(6_000)
    ingest(store, messages[:3_000], at_once=1_000)
    writer = threading.Thread(target=ingest, args=(store, messages[3_000:], 20, 0.002))
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        other = open_store(url)
        while not done.is_set():
            seen.append(len(set(other.assessments())))
        other.close()

    reader = threading.Thread(target=read)
    writer.start()
    reader.start()
    made = 0
    while writer.is_alive() or not made:
        rebuild(open_rebuilding(store), Remaker(BOOK, policy), f"rules {made}")
        assert list(open_rebuilding(store).differences()) == []
        made += 1
    done.set()
    writer.join()
    reader.join()
    assert made >= 2
    assert list(store.assessments()) == replayed(messages)
    assert len(seen) > 2
    assert all(later >= earlier for earlier, later in pairwise(seen))


def test_a_reader_sees_the_old_answers_or_the_new_ones(store: Store, url: str) -> None:
    messages = said(1_500)
    ingest(store, messages)
    old, new = replayed(messages), replayed(messages, without_pooling)
    seen: list[list[bytes]] = []
    done = threading.Event()

    def read() -> None:
        other = open_store(url)
        while not done.is_set():
            seen.append(list(other.assessments()))
        other.close()

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(10):
        policies = policy if n % 2 else without_pooling
        rebuild(open_rebuilding(store), Remaker(BOOK, policies), f"rules {n % 2}")
    done.set()
    reader.join()
    assert all(answers in (old, new) for answers in seen)
    assert old in seen
    assert new in seen


def test_a_rebuild_goes_on_where_it_was_broken_off(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any number of steps: what comes in between the two runs is in the result."""
    monkeypatch.setattr("services.rebuilding.STREAMS_AT_ONCE", 15)
    messages = said(3_000)
    ingest(store, messages[:2_000])
    for stop_after in (1, 2):
        steps = 0

        def stop(_progress: object, _patients: int, last: int = stop_after) -> None:
            nonlocal steps
            steps += 1
            if steps == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild(open_rebuilding(store), Remaker(BOOK, policy), MAKING, stop)
    ingest(store, messages[2_000:])
    assert rebuild(open_rebuilding(store), Remaker(BOOK, policy), MAKING) is True
    assert list(store.assessments()) == replayed(messages)


def test_of_two_rebuilds_at_once_one_is_refused(store: Store) -> None:
    ingest(store, said(200))
    port = open_rebuilding(store)
    mine = port.begin(MAKING)
    theirs = port.begin(MAKING)
    port.keep(mine, replace(mine, whole=True), [])
    with pytest.raises(RebuildTaken):
        port.keep(theirs, replace(theirs, whole=True), [])
    with pytest.raises(RebuildTaken):
        port.switch(theirs, lambda _: [], lambda _: 0, 10)


def test_a_rebuild_of_another_making_starts_from_nothing(store: Store) -> None:
    """Rows made by rules that no longer hold are thrown away with the rebuild they belong to."""
    messages = said(500)
    ingest(store, messages)
    port, remaker = open_rebuilding(store), Remaker(BOOK, without_pooling)
    begun = port.begin("rules b")
    streams = port.streams("", 100)
    made = remaker.remake(port.histories(dict.fromkeys(streams, 0)))
    port.keep(begun, replace(begun, whole=True), made)
    assert rebuild(port, Remaker(BOOK, policy), "rules a") is False
    assert list(store.assessments()) == replayed(messages)


def test_a_writer_that_goes_by_replaced_rules_is_refused_until_it_starts_again(
    store: Store,
) -> None:
    """No row of the old rules gets among those of the new ones, and no event is lost."""
    messages = said(600)
    old = writer(store, policy, "rules a")
    old.take(deliveries(messages[:200]), {"feed": 1})
    rebuild(open_rebuilding(store), Remaker(BOOK, without_pooling), "rules b")
    with pytest.raises(ReadModelsMoved):
        old.take(deliveries(messages[200:400]), {"feed": 2})
    assert store.tracking("feed") == 1
    writer(store, without_pooling, "rules b").take(deliveries(messages[200:]), {"feed": 2})
    assert list(store.assessments()) == replayed(messages, without_pooling)


def test_a_service_that_goes_by_replaced_rules_ends_and_says_why(command: Command) -> None:
    """Whoever starts it again gives it the new rules; the event it could not take is not taken."""
    policies = command.folder / "care.toml"
    policies.write_text('[policy]\ndate_of_service = "month-end"\n')
    messages = said(100)
    kind = {"content-type": "application/cloudevents+json"}
    environment = {"CARETALLY_DATABASE": command.database, "CARETALLY_HTTP": "127.0.0.1:0"}
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        send = partial(client.post, "/api/v1/events", headers=kind)
        assert {send(content=message).status_code for message in messages[:80]} == {202}
        assert command("rebuild", CARETALLY_CONFIG=str(policies)).code == 0
        store = open_store(command.database)
        taken = store.head()
        answers = {send(content=message).status_code for message in messages[80:81]}
        assert answers == {503}
        assert service.process.wait(timeout=15) == 1
        assert any("start this process again" in line["message"] for line in service.rest_of_log())
        assert store.head() == taken
        store.close()
    with serving(environment | {"CARETALLY_CONFIG": str(policies)}) as service:
        with httpx.Client(base_url=service.base()) as client:
            send = partial(client.post, "/api/v1/events", headers=kind)
            assert {send(content=message).status_code for message in messages[80:]} == {202}
        assert service.stop() == 0
    assert command("rebuild", "--check", CARETALLY_CONFIG=str(policies)).code == 0


def test_a_rebuild_by_the_same_rules_disturbs_no_writer(store: Store) -> None:
    messages = said(400)
    steady = writer(store, policy, "rules a")
    for n in range(4):
        steady.take(deliveries(messages[n * 100 : n * 100 + 100]))
        rebuild(open_rebuilding(store), Remaker(BOOK, policy), "rules a")
    assert list(store.assessments()) == replayed(messages)


def test_killed_at_any_point_it_ends_right(command: Command) -> None:
    """kill -9 again and again, a little later in the run each time; then it is let finish."""
    messages = said(8_000)
    store = open_store(command.database)
    ingest(store, messages, at_once=2_000)
    began = time.monotonic()
    assert command("rebuild").code == 0
    whole, kills = time.monotonic() - began, 0
    for n in range(6):
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", "rebuild"],
            cwd=ROOT,
            env=command.environment(),
            stderr=subprocess.DEVNULL,
        )
        time.sleep(whole * (0.4 + 0.1 * n))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills >= 3
    ran = command("rebuild", "--json")
    assert ran.code == 0
    assert ran.lines()[-1]["differences"] == 0
    assert list(store.assessments()) == replayed(messages)
    assert command("rebuild", "--check").code == 0
    store.close()


def test_the_command_checks_tells_and_repairs(command: Command) -> None:
    store = open_store(command.database)
    ingest(store, said(500))
    spoil(store, "UPDATE assessments SET body = '{}' WHERE patient_id = 'pt-000003'")
    ran = command("rebuild", "--check", "--json")
    *found, summary = ran.lines()
    assert ran.code == 1
    assert {line["patient_id"] for line in found} == {"pt-000003"}
    assert {line["kind"] for line in found} == {"different"}
    assert summary["differences"] == len(found) == 3
    assert command("rebuild").code == 0
    assert command("rebuild", "--check").code == 0
    policies = command.folder / "care.toml"
    policies.write_text('[policy]\ndate_of_service = "month-end"\n')
    assert command("rebuild", "--check", CARETALLY_CONFIG=str(policies)).code == 1
    summary = command("rebuild", "--json", CARETALLY_CONFIG=str(policies)).lines()[-1]
    assert summary["new_making"] is True
    assert summary["differences"] > 0
    store.close()
