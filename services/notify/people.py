"""Messages for people (Slack, Teams, PagerDuty, mail and more) through `apprise`, an extra.

What is sent are counts, types and opaque alert ids, gathered for a while: a channel of people is
no place for patients, nor for a message an event.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from projections.deliveries import Deliveries
from projections.ports import Store, TransitionRow
from services.notify.deliverable import deliverable
from services.notify.reactor import SinkReactor, Unreachable

GATHER_SECONDS = 30.0
CHUNK_MAX = 5_000
IDS_SHOWN = 5
PLEASE_INSTALL = "notify_urls needs the extra: pip install 'caretally[notify]'"


def sink_name(url: str) -> str:
    """The ledger's name of a channel: its URL holds credentials and is never shown."""
    return f"people:{hashlib.sha256(url.encode()).hexdigest()[:12]}"


class PeopleSink(SinkReactor):
    """One channel, with a ledger of its own."""

    def __init__(
        self, url: str, store: Store, ledger: Deliveries, gather_seconds: float = GATHER_SECONDS
    ) -> None:
        """`url` is one of apprise's. Raises ValueError when it is none, or apprise is missing."""
        super().__init__(sink_name(url), store, threads=2)
        self._ledger = ledger
        self._gather_seconds = gather_seconds
        self._sent_at = -gather_seconds
        self._channel = channel(url)

    async def _open(self) -> None:
        since = await self._call(lambda: self._ledger.begin(self.name))
        await self._call(lambda: self._store.set_delivered(self.name, since))

    async def _turn(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._sent_at < self._gather_seconds and not self._stopping.is_set():
            return False
        after = await self._call(lambda: self._store.delivered(self.name))
        page = await self._call(lambda: deliverable(self._store, after, CHUNK_MAX))
        if page.through == after:
            return False
        for practice in sorted({row.practice_id for row in page.rows}):
            await self._tell([row for row in page.rows if row.practice_id == practice])
        await self._call(lambda: self._store.set_delivered(self.name, page.through))
        self._sent_at = now
        self.sent += len(page.rows)
        return len(page.rows) == CHUNK_MAX

    async def _tell(self, rows: Sequence[TransitionRow]) -> None:
        title, body = words(rows)
        notify = partial(self._channel.notify, title=title, body=body)
        if not await self._call(notify):
            raise Unreachable("the channel did not take it")


def channel(url: str) -> Any:
    """The channel behind one of apprise's URLs. Raises ValueError."""
    try:
        import apprise
    except ImportError:
        raise ValueError(PLEASE_INSTALL) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines show addresses
    found = apprise.Apprise()
    if not found.add(url):
        scheme = url.partition(":")[0][:20]
        raise ValueError(f"notify_urls: expected URLs of apprise; found {scheme}://…")
    return found


def words(rows: Sequence[TransitionRow]) -> tuple[str, str]:
    """Title and text about transitions of one practice."""
    raised = sum(row.state.raised for row in rows)
    title = f"caretally {rows[0].practice_id}: {raised} raised, {len(rows) - raised} resolved"
    counted = Counter((row.state.type, row.state.raised) for row in rows)
    lines = []
    for (type, is_raised), count in sorted(counted.items()):
        of_kind = [
            r.state.alert_id for r in rows if (r.state.type, r.state.raised) == (type, is_raised)
        ]
        shown = list(dict.fromkeys(of_kind))[:IDS_SHOWN]
        more = ", …" if len(set(of_kind)) > IDS_SHOWN else ""
        lines.append(
            f"{type} {'raised' if is_raised else 'resolved'}: {count} ({', '.join(shown)}{more})"
        )
    return title, "\n".join(lines)
