"""Prometheus Alertmanager: what stands raised, told by its v2 API.

Labels are what makes an alert the same alert: type, practice, code, unit, month and the opaque
alert id; nothing about the patient. Every alert carries its end: Alertmanager would take an old
one without an end for new, and forgets all of them when it restarts, so what stands is told
again every minute. It is told states, not history: of several changes between two tellings only
the last is sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from infra.clock import Clock
from projections.deliveries import Deliveries
from projections.ports import Store, TransitionRow
from services.notify.deliverable import deliverable, rows_at
from services.notify.reactor import SinkReactor, Unreachable

SINK = "alertmanager"
TOLD_EVERY_SECONDS = 60.0
"""Below Alertmanager's resolve_timeout of five minutes, and often enough after its restart."""
RESOLVED_TOLD_SECONDS = 900.0
"""How long an end is repeated, should Alertmanager have died before it passed it on."""
STANDS = timedelta(days=30)
"""An alert ends by itself this long after its month, or after it was raised if that was later."""
CHUNK_MAX = 5_000
POST_MAX = 500
TIMEOUT_SECONDS = 15.0
_INFO = ("threshold.approaching", "threshold.reached")


class AlertmanagerSink(SinkReactor):
    """Tells one Alertmanager, or each of a cluster; it is enough when one takes it."""

    def __init__(
        self,
        urls: Sequence[str],
        store: Store,
        ledger: Deliveries,
        clock: Clock,
        told_every_seconds: float = TOLD_EVERY_SECONDS,
    ) -> None:
        """`urls` are base addresses such as http://127.0.0.1:9093."""
        super().__init__(SINK, store)
        self._urls = [f"{url.rstrip('/')}/api/v2/alerts" for url in urls]
        self._ledger, self._clock = ledger, clock
        self._told_every_seconds = told_every_seconds
        self._standing: dict[str, TransitionRow] = {}
        self._ended: dict[str, tuple[TransitionRow, dict[str, Any]]] = {}
        self._told_at = 0.0
        self._client: httpx.AsyncClient

    async def _open(self) -> None:
        """Find what stands: nothing from before the sink was begun, nothing not yet told."""
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_SECONDS, verify=httpx.create_ssl_context(), trust_env=False
        )
        self._standing, self._ended = await self._call(self._found_standing), {}
        self._told_at = 0.0

    def _found_standing(self) -> dict[str, TransitionRow]:
        since = self._ledger.begin(SINK)
        self._store.set_delivered(SINK, since)
        positions = self._ledger.raised(since, self._store.delivered(SINK))
        return {row.state.alert_id: row for row in rows_at(self._store, positions).values()}

    async def _close(self) -> None:
        await self._client.aclose()

    async def _turn(self) -> bool:
        await self._tell_changes()
        now = asyncio.get_running_loop().time()
        if not self._told_at or now - self._told_at >= self._told_every_seconds:
            await self._tell_again()
            self._told_at = now
        return False

    async def _tell_changes(self) -> None:
        """Read to the end, tell where each alert stands now, then move the ledger."""
        after = await self._call(lambda: self._store.delivered(SINK))
        changed, through = await self._call(lambda: self._changes(after))
        if through == after:
            return
        await self._post([self._alert(row) for row in changed.values()])
        await self._call(lambda: self._store.set_delivered(SINK, through))
        self.sent += len(changed)
        self._remember(changed.values())

    def _changes(self, after: int) -> tuple[dict[str, TransitionRow], int]:
        """The last transition of each alert beyond a position, and how far that was read."""
        changed: dict[str, TransitionRow] = {}
        while (page := deliverable(self._store, after, CHUNK_MAX)).through > after:
            changed.update((row.state.alert_id, row) for row in page.rows)
            after = page.through
        return changed, after

    def _alert(self, row: TransitionRow) -> dict[str, Any]:
        raised = self._standing.get(row.state.alert_id)
        return alert(row, raised.recorded_at_us if raised else row.recorded_at_us)

    def _remember(self, changed: Iterable[TransitionRow]) -> None:
        for row in changed:
            if row.state.raised:
                self._standing[row.state.alert_id] = row
                self._ended.pop(row.state.alert_id, None)
            else:
                self._ended[row.state.alert_id] = (row, self._alert(row))
                self._standing.pop(row.state.alert_id, None)

    async def _tell_again(self) -> None:
        now_us = self._clock()
        self._standing = {id: row for id, row in self._standing.items() if ends_at_us(row) > now_us}
        oldest_us = now_us - int(RESOLVED_TOLD_SECONDS * 1_000_000)
        self._ended = {
            id: pair for id, pair in self._ended.items() if pair[0].recorded_at_us > oldest_us
        }
        standing = [alert(row, row.recorded_at_us) for row in self._standing.values()]
        await self._post([*standing, *(body for _, body in self._ended.values())])

    async def _post(self, alerts: Sequence[dict[str, Any]]) -> None:
        """To all; raises Unreachable when none took it."""
        now = text(self._clock())
        for start in range(0, len(alerts), POST_MAX):
            part = [a for a in alerts[start : start + POST_MAX] if a["labels"] and _is_news(a, now)]
            if not part:
                continue
            answers = await asyncio.gather(*(self._post_to(url, part) for url in self._urls))
            if all(answers):
                raise Unreachable(answers[0])

    async def _post_to(self, url: str, alerts: Sequence[dict[str, Any]]) -> str:
        """Why it was not taken; empty when it was."""
        host = urlsplit(url).hostname
        try:
            answer = await self._client.post(url, json=alerts)
        except httpx.HTTPError as error:
            return f"{host}: {type(error).__name__}"
        return "" if answer.is_success else f"{host}: {answer.status_code}"


def _is_news(body: dict[str, Any], now: str) -> bool:
    """Whether it stands, or was ended; not one that ran out unheard."""
    return bool(body["annotations"]["state"] == "resolved" or body["endsAt"] > now)


def alert(row: TransitionRow, raised_at_us: int) -> dict[str, Any]:
    """The alert as Alertmanager takes it; `raised_at_us` is when it began to stand."""
    state = row.state
    ends_us = ends_at_us(row) if state.raised else row.recorded_at_us
    seconds_to_go = json.loads(row.body).get("seconds_to_go")
    labels = {
        "alertname": state.type,
        "severity": "info" if state.type in _INFO else "warning",
        "practice": row.practice_id,
        "month": state.month,
        "code": state.code,
        "unit": str(state.unit) if state.unit else "",
        "alert_id": state.alert_id,
    }
    annotations = {
        "state": "raised" if state.raised else "resolved",
        "transition": str(state.transition),
        "seconds_to_go": "" if seconds_to_go is None else str(seconds_to_go),
    }
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": text(min(raised_at_us, ends_us)),
        "endsAt": text(ends_us),
    }


def ends_at_us(row: TransitionRow) -> int:
    """When a raised alert ends if nothing ends it before."""
    year, month = int(row.state.month[:4]), int(row.state.month[5:7])
    over = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    raised = datetime.fromtimestamp(row.recorded_at_us / 1e6, UTC)
    return int((max(over, raised) + STANDS).timestamp() * 1e6)


def text(us: int) -> str:
    """An instant in RFC 3339, of one length, so that texts compare as instants do."""
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
