"""A producer that writes header names which are no UTF-8, as C clients can.

Run as a process with AIOKAFKA_NO_EXTENSIONS=1: only the client's pure Python takes such names.
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from tests.delivery.feed import Message, mixed, with_broken

MARKED = (40, 41, 150)


class Name(str):
    """A header name as a client that does not care would write it."""

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        return b"x-\xff\xfe"


def messages() -> tuple[list[Message], int]:
    """What is sent, and how many of it are bad in themselves."""
    return with_broken(mixed(200), every=20)


async def send(bootstrap: str, topic: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=50)
    await producer.start()
    acks = []
    for number, message in enumerate(messages()[0]):
        headers = list(message.headers)
        if number in MARKED:
            headers.append((Name("x"), b"v"))
        acks.append(await producer.send(topic, message.value, message.key, headers=headers))
    await asyncio.gather(*acks)
    await producer.stop()


if __name__ == "__main__":
    asyncio.run(send(*sys.argv[1:]))
