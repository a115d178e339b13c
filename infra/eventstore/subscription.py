"""Endless reading of a recorder that can wait: the library's pulling thread, woken our way."""

from __future__ import annotations

from typing import Protocol

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

_SLICE_SECONDS = 0.1
"""How long a stopped subscription may take to notice."""


class WaitingRecorder(Protocol):
    """A recorder that can block until there is something to read."""

    def wait_beyond(self, position: int, timeout_seconds: float) -> bool: ...

    def max_notification_id(self) -> int | None: ...


class WaitingSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Yields what is stored after `gt` for ever, also what other processes write."""

    def __init__(
        self,
        recorder: ApplicationRecorder,
        waiting: WaitingRecorder,
        gt: int | None,
        topics: tuple[str, ...],
    ) -> None:
        self._waiting = waiting  # the base class starts its thread at once
        super().__init__(recorder, gt, topics)

    def _loop_on_pull(self) -> None:
        seen = 0
        try:
            while not self._has_been_stopped:
                if self._waiting.wait_beyond(seen, _SLICE_SECONDS):
                    # Topics may filter all of it out, so the head is remembered, not the last read.
                    seen = self._waiting.max_notification_id() or 0
                    self._pull()
        except BaseException as error:
            self._thread_error = self._thread_error or error
            self.stop()
