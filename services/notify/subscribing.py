"""What people do with subscribers: add, try out, pause, resume, change the secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import msgspec

from domain.alerts import AlertType
from infra.codec import utc_text
from infra.outbound import Answer, Outbound, check_url
from projections.deliveries import Deliveries, Secret, Subscriber
from projections.ports import Store
from services.notify.signing import check_secret, in_force, new_secret, signed_headers

SCAN_MAX = 5_000
TEST_TYPE = "caretally.test.v1"


class Refused(ValueError):
    """What was asked cannot be done; the message names the option and what was expected."""


def new_subscriber(
    url: str,
    practices: Sequence[str],
    types: Sequence[str],
    secret: str | None,
    read_through: int,
    now_us: int,
    allow_private: bool,
) -> Subscriber:
    """A subscriber that is served with what comes after `read_through`. Raises Refused."""
    known = [type.value for type in AlertType]
    for type in types:
        if type not in known:
            raise Refused(f"--type: expected one of {', '.join(known)}; found {type[:60]!r}")
    try:
        check_url(url, allow_private)
    except ValueError as error:
        raise Refused(f"URL: {error}") from None
    chosen = secret or new_secret()
    try:
        check_secret(chosen)
    except ValueError as error:
        raise Refused(f"--secret: {error}") from None
    return Subscriber(
        id=f"sub_{uuid4().hex[:16]}",
        url=url,
        secrets=(Secret(chosen),),
        practices=tuple(dict.fromkeys(practices)),
        types=tuple(dict.fromkeys(types)),
        read_through=read_through,
        added_at_us=now_us,
    )


def position_before(store: Store, recorded_at_us: int) -> int:
    """The position after which all transitions recorded at or after an instant are found."""
    after = 0
    while rows := store.transitions(after, SCAN_MAX):
        for row in rows:
            if row.recorded_at_us >= recorded_at_us:
                return after
            after = row.position
    return after


def with_new_secret(
    subscriber: Subscriber, secret: str, overlap_us: int, now_us: int
) -> list[Secret]:
    """The secrets after a rotation: the old ones sign beside the new one for a while."""
    until = now_us + overlap_us
    old = [
        replace(s, expires_at_us=min(until, s.expires_at_us or until))
        for s in in_force(subscriber.secrets, now_us)
        if s.text != secret
    ]
    return [Secret(secret), *old]


async def send_test(subscriber: Subscriber, now_us: int, allow_private: bool) -> Answer:
    """Send one signed event of the type `caretally.test.v1`, which is about nobody."""
    id = f"test_{uuid4().hex}"
    body = msgspec.json.encode(
        {"id": id, "type": TEST_TYPE, "timestamp": utc_text(now_us), "data": {}}
    )
    outbound = Outbound(allow_private)
    try:
        headers = signed_headers(id, body, subscriber.secrets, now_us)
        return await outbound.post(subscriber.url, headers, body)
    finally:
        await outbound.close()


def find(ledger: Deliveries, subscriber_id: str) -> Subscriber:
    """The subscriber of this id. Raises Refused."""
    for subscriber in ledger.subscribers():
        if subscriber.id == subscriber_id:
            return subscriber
    raise Refused(f"no subscriber {subscriber_id[:60]!r}; see: caretally subscribers list")
