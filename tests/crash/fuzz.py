"""Messages damaged in every way through the wire and into a store: none is lost, none stops it.

    python -m tests.crash.fuzz 1000000 7

Every message is accepted, a duplicate or a dead letter; the store holds what the answers said.
Prints the figures as JSON. The same seed sends the same messages.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

from domain.merging import CARRIED_SOURCE
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from projections.ports import Store
from services.ingest import Delivery, Ingest
from tests.services.wire_examples import EXAMPLES

PAGE = 10_000
BATCH = 1000
EACH = 40
"""Messages about one patient, so that histories stay as long as real ones."""

AGAIN = 0.05
"""Share of messages that come a second time, and of those that take another one's id."""

Json = Any
Headers = list[tuple[str, bytes]]

JUNK: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 10**40, 1.5, -0.0, 1e308, float("nan"), "", " "),
    *("\x00", "\ud800", "é" * 300, "2025-02-30", "2025-03-05T24:00:00Z", "9999-12-31"),
    *("0001-01-01T00:00:00+14:00", "America/Nowhere", "../..", "'; --", "1e3", [], {}, [[]]),
    *({"a": 1}, [None] * 50, "x" * 3000, "2025-03-05T15:21:00Z", "NaN", "١٢"),
)
STRUCTURED: Headers = [("content-type", b"application/cloudevents+json")]


def fuzzed(rng: random.Random) -> Iterator[Delivery]:
    """Damaged messages without end, good ones among them."""
    types = list(EXAMPLES)
    said: deque[Delivery] = deque(maxlen=500)
    number = 0
    while True:
        if said and rng.random() < AGAIN:
            yield rng.choice(said)
            continue
        name = rng.choice(types)
        event = {
            "specversion": "1.0",
            "id": f"e{number if rng.random() > AGAIN else rng.randrange(number + 1)}",
            "source": "//fuzz",
            "type": name,
            "practiceid": "p1",
            "subject": f"pt{number // EACH}",
            "time": "2025-03-05T15:21:00Z",
            "data": json.loads(json.dumps(EXAMPLES[name][0])),
        }
        value, headers = rng.choice(DAMAGES)(event, rng)
        said.append(Delivery(value, rng.choice((None, b"k")), tuple(headers), f"fuzz/0@{number}"))
        yield said[-1]
        number += 1


def _good(event: Json, rng: random.Random) -> tuple[bytes | None, Headers]:
    del rng
    return _bytes(event), STRUCTURED


def _members(event: Json, rng: random.Random) -> tuple[bytes | None, Headers]:
    """Members anywhere in the tree changed, dropped or added."""
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        place = _place(event, rng)
        if isinstance(place, dict) and place:
            key = rng.choice(list(place))
            match rng.randrange(4):
                case 0:
                    del place[key]
                case 1:
                    place[f"{key}x"] = deepcopy(rng.choice(JUNK))
                case _:
                    place[key] = deepcopy(rng.choice(JUNK))
    return _bytes(event), rng.choice((STRUCTURED, []))


def _damaged(event: Json, rng: random.Random) -> tuple[bytes | None, Headers]:
    """Bytes flipped, cut out, put in, said twice."""
    text = bytearray(_bytes(event))
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(4):
            case 0 if at < len(text):
                text[at] ^= 1 << rng.randrange(8)
            case 1:
                del text[at : at + rng.randrange(1, 30)]
            case 2:
                text[at:at] = rng.randbytes(rng.randrange(1, 20))
            case _:
                text[at:at] = text[at : at + rng.randrange(1, 60)]
    return bytes(text), STRUCTURED


def _binary(event: Json, rng: random.Random) -> tuple[bytes | None, Headers]:
    """Binary content mode, its headers damaged too."""
    headers: Headers = [(f"ce_{k}", str(v).encode()) for k, v in event.items() if k != "data"]
    headers.append(("content-type", b"application/json"))
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(headers))
        name, value = headers[at]
        match rng.randrange(5):
            case 0:
                del headers[at]
            case 1:
                headers[at] = (name, rng.randbytes(rng.randrange(12)))
            case 2:
                headers[at] = (name.upper(), value)
            case 3:
                headers.append((name, value))
            case _:
                headers[at] = (rng.choice(("ce_", "", "\ud800", "ce_data")), value)
        if not headers:
            break
    return rng.choice((_bytes(event["data"]), None, b"")), headers


def _noise(event: Json, rng: random.Random) -> tuple[bytes | None, Headers]:
    """No event at all."""
    del event
    return rng.choice(
        (
            None,
            b"",
            b"null",
            rng.randbytes(rng.randrange(200)),
            b"[" * rng.randrange(1, 3000),
            b'{"a":' * rng.randrange(1, 2000),
            b"\xff\xfe" + "{}".encode("utf-16-le"),
            b"[{}]",
            b"9" * rng.randrange(1, 6000),
        )
    ), rng.choice((STRUCTURED, [], [("content-type", rng.randbytes(5))]))


DAMAGES: tuple[Callable[[Json, random.Random], tuple[bytes | None, Headers]], ...] = (
    *(_good, _good, _members, _members, _members, _damaged, _damaged, _binary, _binary, _noise),
)


def _place(event: Json, rng: random.Random) -> Json:
    """Some object of the tree."""
    found = [event]
    for place in found:
        inside = place.values() if isinstance(place, dict) else place
        found += [part for part in inside if isinstance(part, dict | list)]
    return rng.choice(found)


def _bytes(value: Json) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _carried(store: Store, events: int) -> int:
    """Events of the log that nobody sent: what merged records took with them."""
    ours = f'"source":"{CARRIED_SOURCE}"'.encode()
    pages = (store.log(after, PAGE) for after in range(0, events, PAGE))
    return sum(ours in event.state for page in pages for event in page)


def main(count: int, seed: int) -> dict[str, object]:
    """Raises AssertionError, or whatever a message made the product raise."""
    rng, began = random.Random(seed), time.monotonic()
    feed = islice(fuzzed(rng), count)
    reasons: Counter[str] = Counter()
    accepted = duplicates = refused = sent = 0
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/store.db")
        ingest = Ingest(store, system_clock, BOOK, lambda _: Policy())
        while batch := list(islice(feed, BATCH)):
            sent += len(batch)
            outcome = ingest.take(batch, {"fuzz/0": sent - 1})
            accepted += outcome.accepted
            duplicates += outcome.duplicates
            refused += outcome.dead_lettered
            reasons.update(r.reason.value for r in outcome.results if r is not None)
            assert accepted + duplicates + refused == sent, f"a message is lost before {sent}"
        events, letters = store.counts()["events"], store.counts()["dead_letters"]
        carried = _carried(store, events)
        store.close()
    assert (events - carried, letters) == (accepted, refused)
    assert sent == count
    return {
        "seed": seed,
        "sent": sent,
        "accepted": accepted,
        "duplicates": duplicates,
        "dead letters": refused,
        "carried over by merges": carried,
        "reasons": dict(reasons.most_common()),
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
