"""LISTEN on one channel for a whole process, with a poll beside it in case the line is dead."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

POLL_SECONDS = 0.1
"""A lost notification or connection delays a waiting reader by no more than this."""

_SLICE_SECONDS = 0.25
_RECONNECT_SECONDS = 1.0


class Listener:
    """Wakes waiting threads on notifications; its thread starts with the first one that waits."""

    def __init__(self, connect: Callable[[], Connection[Any]], channel: str) -> None:
        self._connect = connect
        self._listen = SQL("LISTEN {}").format(Identifier(channel))
        self._woken = Condition()
        self._closed = Event()
        self._thread: Thread | None = None

    def wait(self, done: Callable[[], bool], timeout_seconds: float) -> bool:
        """Block until `done()` or the timeout; True when it is done."""
        deadline = monotonic() + timeout_seconds
        if done():
            return True
        with self._woken:
            self._start()
            while not done():
                remaining = deadline - monotonic()
                if remaining <= 0 or self._closed.is_set():
                    return False
                self._woken.wait(min(POLL_SECONDS, remaining))
        return True

    def _start(self) -> None:
        if self._thread is None and not self._closed.is_set():
            self._thread = Thread(target=self._run, name="caretally-listen", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(self._listen)
                    self._relay(connection)
            except psycopg.Error:
                # The poll goes on meanwhile; nothing is lost but a few milliseconds.
                self._closed.wait(_RECONNECT_SECONDS)

    def _relay(self, connection: Connection[Any]) -> None:
        while not self._closed.is_set():
            for _ in connection.notifies(timeout=_SLICE_SECONDS, stop_after=1):
                with self._woken:
                    self._woken.notify_all()

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._closed.set()
        with self._woken:
            self._woken.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=2)
