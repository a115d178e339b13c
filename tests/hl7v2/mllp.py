"""A sender over MLLP, as plain as can be: blocking, one message at a time."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress


class Sender:
    """A connection to a listener."""

    def __init__(self, port: int, timeout: float = 20.0, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._rest = b""

    def send(self, message: bytes) -> str:
        """Send a message; the code of its acknowledgement, '' where the connection was closed."""
        answer = self.ask(message)
        lines = [line.split("|") for line in answer.decode().split("\r")]
        return next((line[1] for line in lines if line[0] == "MSA"), "")

    def ask(self, message: bytes) -> bytes:
        """Send a message; its acknowledgement, b'' where the connection was closed."""
        try:
            self.socket.sendall(b"\x0b" + message + b"\x1c\r")
        except ConnectionError:
            return b""
        return self.answer()

    def answer(self) -> bytes:
        while b"\x1c\r" not in self._rest:
            try:
                piece = self.socket.recv(65536)
            except ConnectionError:
                piece = b""
            if not piece:
                return b""
            self._rest += piece
        found, _, self._rest = self._rest.partition(b"\x1c\r")
        return found.removeprefix(b"\x0b")

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
