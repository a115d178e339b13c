"""Deliveries of foreign forms into a batch, each by the feed that knows its form.

It is the `Opener` of the ingest core: whatever comes of a delivery is written in the transaction
that moves the feed's position. A batch may hold several forms, and events of ours among them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from domain.rejections import Rejection
from projections.translated import Translations
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.translate.knowing import Knowing
from services.translate.taking import Taken
from services.wire.decode import Accepted, decode_document, decode_message
from services.wire.made import made
from services.wire.modes import is_history


class Feed(Protocol):
    """Knows one form. `mark` is the name of the first header of its deliveries."""

    @property
    def mark(self) -> str: ...

    def unfold(self, delivery: Delivery) -> Any:
        """The parts of a delivery, or a `Rejection`. Never raises."""

    def wanted(self, parts: Any) -> tuple[Collection[str], Collection[str]]:
        """The keys of identities and of resources that these parts will ask for."""

    def take(self, opened: Opened, knowing: Knowing, delivery: Delivery, parts: Any) -> None:
        """Take or refuse each of the parts. Raises what an outage of the store raises."""


FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
"""What a fault of ours would raise. An outage of the store is none: it must go on."""

NONE: Final[Mapping[int, Rejection]] = {}


class Feeds:
    """Opens batches in which some deliveries are of a foreign form."""

    def __init__(self, translations: Translations, *feeds: Feed) -> None:
        self._translations = translations
        self._feeds = {feed.mark: feed for feed in feeds}

    def knows(self, delivery: Delivery) -> bool:
        return bool(delivery.headers) and delivery.headers[0][0] in self._feeds

    def open(
        self, deliveries: Sequence[Delivery], refused: Mapping[int, Rejection] = NONE
    ) -> Opened:
        opened = Opened([], refused=refused)
        whose: list[int] = []
        opened.whose = whose
        found = [self._unfold(each) for each in deliveries]
        knowing = self._knowing(found)
        for index, (delivery, (feed, parts)) in enumerate(zip(deliveries, found, strict=True)):
            before = len(opened.results)
            if feed is None:
                _native(opened, knowing, delivery)
            elif isinstance(parts, Rejection):
                add(opened, delivery, parts)
            else:
                feed.take(opened, knowing, delivery, parts)
            whose += [index] * (len(opened.results) - before)
        return opened

    def _unfold(self, delivery: Delivery) -> tuple[Feed | None, Any]:
        headers = delivery.headers
        feed = self._feeds.get(headers[0][0]) if headers else None
        return (None, None) if feed is None else (feed, feed.unfold(delivery))

    def _knowing(self, found: Sequence[tuple[Feed | None, Any]]) -> Knowing:
        identities: set[str] = set()
        resources: set[str] = set()
        for feed, parts in found:
            if feed is not None and not isinstance(parts, Rejection):
                some, others = feed.wanted(parts)
                if some:
                    identities.update(some)
                resources.update(others)
        knowing = Knowing(self._translations)
        knowing.prefetch(identities, resources)
        return knowing


def _native(opened: Opened, knowing: Knowing, delivery: Delivery) -> None:
    decoded = decode_message(delivery.value, delivery.headers)
    if isinstance(decoded, Rejection):
        add(opened, delivery, decoded)
    else:
        add(opened, delivery, None)
        opened.add(len(opened.results) - 1, decoded)
        knowing.hear(decoded)


def add(opened: Opened, delivery: Delivery, result: Rejection | None) -> None:
    """A further piece of the batch, with what became of it."""
    assert isinstance(opened.pieces, list)
    opened.pieces.append(delivery)
    opened.results.append(result)


def decode_all(
    opened: Opened, index: int, taken: Sequence[Taken], part: Delivery, knowing: Knowing
) -> Rejection | None:
    """Decode all events of a piece: one that is refused refuses all of them."""
    if index in opened.refused:
        return opened.refused[index]
    history = is_history(part.headers)
    decoded = [
        made(each, history) or decode_document(each, history)
        for one in taken
        for each in one.documents
    ]
    for each in decoded:
        if isinstance(each, Rejection):
            return each
    for each in decoded:
        assert isinstance(each, Accepted)
        opened.add(index, each)
        knowing.hear(each)
    for one in taken:
        knowing.take(one.row)
        opened.resources.append((index, one.row))
    return None
