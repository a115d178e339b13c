"""The MLLP door: HL7 v2 over TCP, each message acknowledged once it is durable.

Messages of all connections that arrive while a transaction runs share the next one. An outage is
answered by closing the connection: nothing is acknowledged, and senders send again.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from socket import socket
from typing import Final

from infra.clock import Clock
from infra.mllp_settings import MllpSettings, networks
from services.doors.group import GroupCommit, Unavailable
from services.doors.hl7_ack import acknowledgement
from services.ingest import Delivery, Ingest
from services.translate.hl7v2.er7 import FRAME_END, FRAME_START
from services.translate.marks import HL7V2, marked
from services.wire.limits import MESSAGE_BYTES_MAX

log = logging.getLogger("caretally.mllp")

FRAME_BYTES_MAX: Final = MESSAGE_BYTES_MAX + 16
STOP_SECONDS: Final = 2.5
"""How long a stop waits for what is in hand."""

SECOND_US: Final = 1_000_000


class MllpDoor:
    """Listens for as long as the process runs. A background of its own."""

    name = "mllp"

    def __init__(
        self, settings: MllpSettings, listener: socket, ingest: Ingest, clock: Clock
    ) -> None:
        """`listener` is bound already. Raises OSError and ValueError for certificates that cannot
        be read."""
        self._settings, self._listener, self._clock = settings, listener, clock
        self._group = GroupCommit(ingest)
        self._peers = networks(settings.mllp_peers)
        self._tls = _tls(settings)
        self._server: asyncio.Server | None = None
        self._stopping = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self.messages = 0

    async def start(self) -> None:
        """Begin to listen; returns at once."""
        self._server = await asyncio.start_server(
            self._connected, sock=self._listener, limit=FRAME_BYTES_MAX, ssl=self._tls
        )
        log.info("MLLP is served at %s:%d", *self._listener.getsockname()[:2])

    async def stop(self) -> None:
        """Take no more messages, acknowledge those in hand, and end. Idempotent."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()

    def ready(self) -> tuple[bool, str]:
        """Whether it listens."""
        listening = self._server is not None
        return listening, "" if listening else "not listening yet"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        full = len(self._connections) >= self._settings.mllp_connections_max
        self._connections.add(task)
        try:
            if full:
                log.warning("a connection was refused: there are %d", len(self._connections) - 1)
            elif not self._may_send(writer):
                log.warning("a connection was refused: its address is not among mllp_peers")
            else:
                await self._serve(reader, writer)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass  # what was not acknowledged is sent again
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError, TimeoutError, ssl.SSLError):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    def _may_send(self, writer: asyncio.StreamWriter) -> bool:
        if not self._peers:
            return True
        peer = ip_address(writer.get_extra_info("peername")[0].partition("%")[0])
        mapped = getattr(peer, "ipv4_mapped", None) or peer
        return any(mapped in network for network in self._peers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Message after message, until the sender, the time or a stop ends it."""
        while (frame := await self._next(reader)) is not None:
            too_long = len(frame) > FRAME_BYTES_MAX
            value = frame.removesuffix(FRAME_END).lstrip(b"\r\n").removeprefix(FRAME_START)
            marks = marked(self._settings.mllp_site, form=HL7V2)
            try:
                (refusal,) = await self._group.take([Delivery(value, None, marks, self.name)])
            except Unavailable as error:
                log.warning("a connection is closed without an acknowledgement: %s", error)
                return
            self.messages += 1
            at = datetime.fromtimestamp(self._clock() // SECOND_US, UTC)
            answer = acknowledgement(value, refusal, at)
            if answer is not None:
                writer.write(FRAME_START + answer + FRAME_END)
                await writer.drain()
            if too_long:
                return  # nobody knows where the next message begins

    async def _next(self, reader: asyncio.StreamReader) -> bytes | None:
        """The next frame, None at an end. A frame beyond the limit comes without its end."""
        reading = asyncio.ensure_future(reader.readuntil(FRAME_END))
        stop = asyncio.ensure_future(self._stopping.wait())
        idle = self._settings.mllp_idle_seconds
        await asyncio.wait([reading, stop], timeout=idle, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not reading.done():
            reading.cancel()
            return None
        try:
            return reading.result()
        except asyncio.IncompleteReadError as rest:
            if rest.partial.strip():
                log.warning("a connection ended inside a message; it was not acknowledged")
            return None
        except asyncio.LimitOverrunError:
            return await reader.read(FRAME_BYTES_MAX + 1)


def _tls(settings: MllpSettings) -> ssl.SSLContext | None:
    """What TLS shows and asks for; None without it."""
    if not settings.mllp_certfile:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.mllp_certfile, settings.mllp_keyfile)
    if settings.mllp_cafile:
        context.load_verify_locations(settings.mllp_cafile)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
