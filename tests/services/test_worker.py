"""The loop of background work: goes on after every fault, tells of one once, ends when asked."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from services.serve import worker
from services.serve.worker import Worker

log = logging.getLogger("caretally.test")


class Counting(Worker):
    """Fails as often as it is told, then counts."""

    def __init__(self, faults: int, rest: float = 0.001) -> None:
        super().__init__("counting", log, "nothing is counted", retry_seconds=0.001)
        self.faults, self.turns, self.pause = faults, 0, rest
        self.threads: set[str] = set()

    def count(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.turns += 1
        if self.turns <= self.faults:
            raise OSError("words about somebody")

    async def turn(self) -> float:
        await self.call(self.count)
        return self.pause


async def until(work: Counting, turns: int) -> None:
    while work.turns < turns:
        await asyncio.sleep(0.001)


async def test_work_goes_on_after_faults_and_tells_of_them_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Counting(faults=3)
    await work.start()
    await until(work, 6)
    assert work.ready() == (True, "")
    await work.stop()
    assert [record.message for record in caplog.records] == ["nothing is counted: OSError"]
    assert len(work.threads) == 1
    assert "MainThread" not in work.threads


async def test_what_holds_it_back_is_told_by_its_class_while_it_does() -> None:
    work = Counting(faults=10**9)
    await work.start()
    await until(work, 3)
    assert work.ready() == (False, "held back by OSError")
    await work.stop()


async def test_a_stop_waits_for_the_work_in_hand_and_not_for_the_rest() -> None:
    work = Counting(faults=0, rest=3_600)
    await work.start()
    await until(work, 1)
    began = asyncio.get_running_loop().time()
    await work.stop()
    await work.stop()
    assert asyncio.get_running_loop().time() - began < worker.STOP_SECONDS
    assert work.stopping


async def test_work_that_does_not_end_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "STOP_SECONDS", 0.05)
    hanging = threading.Event()

    class Hanging(Counting):
        def count(self) -> None:
            super().count()
            hanging.wait(60)

    work = Hanging(faults=0)
    await work.start()
    await until(work, 1)
    await asyncio.wait_for(work.stop(), 30)
    hanging.set()


async def test_what_never_began_can_be_stopped() -> None:
    await Counting(faults=0).stop()
