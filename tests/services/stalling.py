"""A line to a PostgreSQL server that can go silent without breaking, as a hung server's does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


class Line:
    """Passes bytes both ways while it is not silent."""

    def __init__(self, url: str) -> None:
        self._to = {name: str(value) for name, value in conninfo_to_dict(url).items() if value}
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        serving = asyncio.start_server(self._pass, "127.0.0.1", 0)
        self._door = self._loop.run_until_complete(serving)
        self.port = self._door.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The same database, by way of this line."""
        settings = {**self._to, "host": "127.0.0.1", "port": str(self.port)}
        return "postgresql://?" + "&".join(f"{n}={quote(v, safe='')}" for n, v in settings.items())

    def silence(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.clear)

    def resume(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.set)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cut(self) -> None:
        self._door.close()
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._to.get("host", "127.0.0.1"), self._to.get("port", "5432")
        if host.startswith("/"):
            behind = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            behind = await asyncio.open_connection(host, int(port))
        await asyncio.gather(self._pump(reader, behind[1]), self._pump(behind[0], writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flows.wait()
                writer.write(data)
        writer.close()


@contextmanager
def stallable(url: str) -> Iterator[Line]:
    line = Line(url)
    try:
        yield line
    finally:
        line.close()
