"""The simulated EHR's side of the HTTP door: messages as requests, in every form it speaks."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

import httpx

from services.demo.day import Moment, Told
from services.demo.vocabulary import Message
from services.doors.http import PATH
from services.wire.modes import BATCH, STRUCTURED

BATCH_MESSAGES: Final = 3
TIMEOUT_SECONDS: Final = 30.0
_HEADER_SAFE: Final = "!#$&'()*+,/:;=?@[]^`{|}~"
"""Printable characters that the binding leaves as they are."""


class Form(Enum):
    """The content modes of the CloudEvents HTTP binding."""

    STRUCTURED = "structured"
    BINARY = "binary"
    BATCH = "batch"


ROTATION: Final = (Form.STRUCTURED, Form.BINARY, Form.STRUCTURED, Form.BATCH)


@dataclass(frozen=True, slots=True)
class Posting:
    """What goes out in one request; `moment` is told about its first message."""

    form: Form
    messages: list[Message]
    moment: Moment | None = None


class FeedRefused(Exception):
    """The door gave an answer that a feed cannot go on from."""


def postings(told: Iterable[Told]) -> Iterator[Posting]:
    """The stream cut into requests, order kept.

    A moment goes alone, so that its effect can be seen; the duplicate in another form than the
    original. A bad event goes in a batch beside the next good one: what is refused in a batch
    becomes a dead letter, while a single event that is refused stays its sender's.
    """
    stream = iter(told)
    waiting = deque(islice(stream, BATCH_MESSAGES))
    turn = 0
    while waiting:
        one = waiting.popleft()
        if one.moment is Moment.BAD_EVENT:
            yield Posting(Form.BATCH, [one.event, *_ordinary(waiting, 1)], one.moment)
        elif one.moment is not None:
            form = Form.BINARY if one.moment is Moment.DUPLICATE else Form.STRUCTURED
            yield Posting(form, [one.event], one.moment)
        else:
            form, turn = ROTATION[turn % len(ROTATION)], turn + 1
            beside = BATCH_MESSAGES - 1 if form is Form.BATCH else 0
            yield Posting(form, [one.event, *_ordinary(waiting, beside)])
        waiting.extend(islice(stream, BATCH_MESSAGES - len(waiting)))


def _ordinary(waiting: deque[Told], at_most: int) -> Iterator[Message]:
    """The next messages as far as the next moment."""
    while at_most and waiting and waiting[0].moment is None:
        at_most -= 1
        yield waiting.popleft().event


class Feed:
    """A client of the door."""

    def __init__(self, address: str) -> None:
        self.address = f"{address}{PATH}"
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, posting: Posting) -> None:
        """Send and wait for the answer, which comes when the messages are durable.

        Raises FeedRefused for any answer but "taken" (202) and "taken, but for these" (207).
        """
        content, headers = request(posting)
        try:
            answer = self._client.post(self.address, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise FeedRefused(f"the HTTP door did not answer: {type(error).__name__}") from error
        if answer.status_code not in (202, 207):
            raise FeedRefused(f"the HTTP door answered {answer.status_code}: {answer.text[:200]}")


def request(posting: Posting) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a posting."""
    if posting.form is Form.BATCH:
        return _json(posting.messages), {"content-type": BATCH}
    (message,) = posting.messages
    if posting.form is Form.STRUCTURED:
        return _json(message), {"content-type": STRUCTURED}
    headers = {
        f"ce-{name}": quote(value, safe=_HEADER_SAFE)
        for name, value in message.items()
        if name != "data"
    }
    return _json(message["data"]), {"content-type": "application/json", **headers}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
