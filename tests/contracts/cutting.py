"""A wire to PostgreSQL that is cut at the worst moment: around a COMMIT."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


class CuttingWire:
    """Relays TCP connections to a server; `cut_at` says what happens at the next COMMIT.

    `before`: the COMMIT is not passed on. `after`: it is, and the server's answer is not.
    """

    def __init__(self, server: str) -> None:
        self._to = {k: str(v) for k, v in conninfo_to_dict(server).items() if v}
        self._door = socket.create_server(("127.0.0.1", 0))
        self.cut_at = ""
        self.cuts = 0
        Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The server's URL by way of this wire."""
        settings = self._to | {"host": "127.0.0.1", "port": str(self._door.getsockname()[1])}
        settings["sslmode"] = "disable"
        return "postgresql://?" + "&".join(f"{k}={quote(v, safe='')}" for k, v in settings.items())

    def close(self) -> None:
        self._door.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = self._connect()
                Thread(target=self._up, args=(client, server), daemon=True).start()
                Thread(target=self._down, args=(client, server), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._to.get("host", "127.0.0.1"), self._to.get("port", "5432")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        line = socket.socket(socket.AF_UNIX)
        line.connect(f"{host}/.s.PGSQL.{port}")
        return line

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while sent := client.recv(65536):
                if self.cut_at and b"COMMIT" in sent:
                    self._cut(sent, client, server)
                    return
                server.sendall(sent)
            server.close()

    def _cut(self, sent: bytes, client: socket.socket, server: socket.socket) -> None:
        moment, self.cut_at = self.cut_at, ""
        self.cuts += 1
        if moment == "after":
            # The answer must not slip through the other direction's thread.
            client.shutdown(socket.SHUT_RDWR)
            server.sendall(sent)
        else:
            client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_RDWR)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while sent := server.recv(65536):
                client.sendall(sent)
            client.shutdown(socket.SHUT_RDWR)
