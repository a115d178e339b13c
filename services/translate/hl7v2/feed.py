"""HL7 v2 deliveries into a batch: read, identified, compared with what was taken, decoded.

What is taken or refused, kept and put in again, is one message: all that it tells, or nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from domain.rejections import Reason, Rejection
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.translate.feeds import FAULTS, add, decode_all
from services.translate.hl7v2.batches import TRAILER, is_single, messages_in
from services.translate.hl7v2.er7 import Message, header_of, read_on, unframed
from services.translate.hl7v2.message import things_of
from services.translate.hl7v2.taking import Context, keys_of, stamp_of, take_thing
from services.translate.hl7v2.things import Thing
from services.translate.knowing import Knowing
from services.translate.marks import HL7V2, marked
from services.translate.outcome import Ignore, Review
from services.translate.site import Site
from services.translate.stamping import digest_of
from services.translate.taking import Taken
from services.wire.limits import BUNDLE_BYTES_MAX
from services.wire.modes import HISTORY, is_history
from services.wire.refusal import Refused, quoted, refused

log = logging.getLogger("caretally.hl7v2")

_NOTHING: Final = "nothing-in-it"


class Read(NamedTuple):
    """A message that was read; or what is wrong with it, or why it is none of ours."""

    value: bytes
    site: Site | None = None
    message: Message | None = None
    things: tuple[Thing, ...] = ()
    refusal: Rejection | None = None
    ignored: str = ""


class Hl7Feed:
    """Takes HL7 v2 deliveries. Keeps nothing between batches."""

    mark = HL7V2

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self._sites = {name: site for name, site in sites.items() if site.hl7v2 is not None}
        self._profiles = {name: digest_of(site.model_dump()) for name, site in sites.items()}
        self._site_of = lru_cache(maxsize=256)(self._find_site)

    def unfold(self, delivery: Delivery) -> list[Read] | Rejection:
        """The messages of a delivery, or why there are none. Never raises."""
        value = delivery.value
        inside = unframed(value or b"")
        if value is None or not inside:
            found = "a message without a value"
            return refused(Reason.NOT_HL7, "MSH", "an HL7 v2 message", found).rejection
        if len(value) > BUNDLE_BYTES_MAX:
            limit = f"at most {BUNDLE_BYTES_MAX} bytes"
            return refused(Reason.TOO_LARGE, "", limit, f"{len(value)} bytes").rejection
        pieces = [value] if is_single(inside) else list(messages_in(value))
        return [self._read(piece, delivery) for piece in pieces]

    def wanted(self, parts: list[Read]) -> tuple[set[str], set[str]]:
        """The keys of identities and of rows that these messages will ask for."""
        identities: set[str] = set()
        rows: set[str] = set()
        for part in parts:
            if part.site is not None and part.things:
                some, others = keys_of(part.things, part.site)
                identities |= some
                rows |= others
        return identities, rows

    def take(self, opened: Opened, knowing: Knowing, delivery: Delivery, parts: list[Read]) -> None:
        """Take or refuse each of the messages."""
        whole = len(parts) == 1 and parts[0].value == delivery.value
        for number, read in enumerate(parts):
            part = delivery if whole else _part_of(delivery, read, number)
            index = len(opened.results)
            add(opened, part, read.refusal)
            if read.refusal is None:
                opened.results[index] = self._take(opened, index, knowing, part, read)
        if not parts:
            opened.ignored[_NOTHING] += 1
            add(opened, delivery, None)

    def _read(self, value: bytes, delivery: Delivery) -> Read:
        try:
            if value.startswith(TRAILER):
                expected = "as many messages as the batch says"
                raise refused(Reason.FEED_GAP, "BTS-1", expected, "another number")
            msh = header_of(value)
            site = self._site_of(delivery.headers[0][1], f"{msh.get(3)}|{msh.get(4)}")
            assert site.hl7v2 is not None
            message = read_on(msh, value, site.hl7v2.charset)
            _check(message, site)
            return Read(value, site, message, tuple(things_of(message, site)))
        except Refused as refusal:
            return Read(value, refusal=refusal.rejection)
        except Review as review:
            return Read(value, refusal=review.rejection)
        except Ignore as ignored:
            return Read(value, ignored=ignored.why)
        except Exception as error:
            return Read(value, refusal=_unreadable(error))

    def _find_site(self, named: bytes, sender: str) -> Site:
        """The profile that the delivery or the message names. Raises `Refused`."""
        name = named.decode("utf-8", "replace")
        if name and name not in self._sites:
            known = ", ".join(sorted(self._sites)) or "none"
            expected = f"the name of a site profile with [hl7v2] ({known})"
            raise refused(Reason.UNKNOWN_SITE, HL7V2, expected, "another")
        asked = [self._sites[name]] if name else list(self._sites.values())
        found = [site for site in asked if _may_send(site, sender)]
        if len(found) != 1:
            expected = "a sending application and facility that one site profile names"
            where = quoted(sender) if not found else f"{quoted(sender)} in several"
            raise refused(Reason.UNKNOWN_SITE, "MSH-3", expected, where)
        return found[0]

    def _take(
        self, opened: Opened, index: int, knowing: Knowing, part: Delivery, read: Read
    ) -> Rejection | None:
        if read.site is None or read.message is None or not read.things:
            opened.ignored[read.ignored or _NOTHING] += 1
            return None
        try:
            context = Context(
                read.site,
                self._profiles[read.site.name],
                stamp_of(read.message, read.site),
                knowing,
            )
            taken, ignored = _take_all(read.things, context)
        except Review as review:
            return review.rejection
        except FAULTS as error:
            return _unreadable(error)
        refusal = decode_all(opened, index, taken, part, knowing)
        if refusal is None:
            for why in [*ignored, *(each.why for each in taken if not each.documents)]:
                opened.ignored[why] += 1
        return refusal


def _take_all(things: tuple[Thing, ...], context: Context) -> tuple[list[Taken], list[str]]:
    """What comes of all things, and why some come to nothing. Raises `Review`."""
    taken: list[Taken] = []
    ignored: list[str] = []
    for thing in things:
        try:
            rows = {each.row.key: each.row for each in taken} if taken else {}
            taken.append(take_thing(thing, context, rows))
        except Ignore as nothing:
            ignored.append(nothing.why)
    return taken, ignored


def _may_send(site: Site, sender: str) -> bool:
    assert site.hl7v2 is not None
    return not site.hl7v2.senders or sender in site.hl7v2.senders


def _check(message: Message, site: Site) -> None:
    """Raises `Refused` for a message that is not meant to be acted upon."""
    assert site.hl7v2 is not None
    processing = message.msh.get(11)
    if processing not in site.hl7v2.processing:
        expected = f"one of {', '.join(site.hl7v2.processing)}, which the site profile takes"
        raise refused(Reason.INVALID_MEMBER, "MSH-11", expected, quoted(processing))


def _part_of(delivery: Delivery, read: Read, number: int) -> Delivery:
    """A message as a delivery of its own, which reads the same when it is put in again."""
    site = delivery.headers[0][1].decode("utf-8", "replace")
    history = ((HISTORY, b"true"),) if is_history(delivery.headers) else ()
    headers = marked(site, *history, form=HL7V2)
    origin = f"{delivery.origin}#{number}"
    return Delivery(read.value, delivery.key, headers, origin, delivery.letter_id)


def _unreadable(error: Exception) -> Rejection:
    """A fault of ours must not hold up the feed: what it happened to is kept, and it is told."""
    log.error("a message cannot be read (%s)", type(error).__name__)
    return Rejection(Reason.NOT_HL7, "expected a message that can be read; found one that cannot.")
