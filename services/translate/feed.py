"""FHIR deliveries into a batch: unfolded, identified, compared with what was taken, decoded."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from domain.rejections import Reason, Rejection
from infra.codec import event_key
from projections.translated import resource_key
from services.ingest import Delivery
from services.ingest.opening import Incoming, Opened
from services.translate.feeds import FAULTS, add, decode_all
from services.translate.knowing import Knowing, keys_of
from services.translate.marks import FETCH, FHIR, FILLED, MODIFIED, PATIENT_IS, marked
from services.translate.notification import ENDED, TYPES, Notification
from services.translate.outcome import Ignore, Review
from services.translate.plain import Plain, plain
from services.translate.quick import Entry, Nothing, QuickWay
from services.translate.reading import obj
from services.translate.resource import MAPPED
from services.translate.site import Site
from services.translate.stamping import digest_of
from services.translate.taking import FETCH_KEY, take_deletion, take_identity, take_resource
from services.translate.unfold import Piece, Unfolded, unfold
from services.wire import json_text
from services.wire.modes import HISTORY, is_history
from services.wire.refusal import Refused

Parts = tuple[Site, Unfolded | Plain | Entry | Nothing]

log = logging.getLogger("caretally.fhir")

PATIENT: Final = "Patient"
MARKS: Final = frozenset({FETCH, FILLED, MODIFIED, PATIENT_IS})

_OTHER: Final = "notification"
_EMPTY: Final = "nothing-in-it"
_NOTIFIED: Final = {type: f"notification-{type}" for type in TYPES}


class FhirFeed:
    """Takes FHIR deliveries. Keeps nothing between batches."""

    mark = FHIR

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self._sites = sites
        self._named = {name.encode(): site for name, site in sites.items()}
        if len(sites) == 1:
            self._named[b""] = next(iter(sites.values()))
        self._profiles = {name: digest_of(site.model_dump()) for name, site in sites.items()}
        profiles = self._profiles
        self._quick = {name: QuickWay(site, profiles[name]) for name, site in sites.items()}

    def wanted(self, parts: Parts) -> tuple[Collection[str], Collection[str]]:
        """The keys of identities and of resources that these parts will ask for."""
        site, found = parts
        if isinstance(found, Unfolded):
            return keys_of(site, found)
        if isinstance(found, Plain):
            return self._quick[site.name].keys_of(found)
        return (), (found.row.key,)

    def unfold(self, delivery: Delivery) -> Parts | Rejection:
        """The resources of a delivery, or why there are none. Never raises."""
        site = self._site(delivery)
        if site is None:
            known = ", ".join(sorted(self._sites)) or "none"
            sentence = f"{FHIR}: expected the name of a site profile ({known}); found another."
            return Rejection(Reason.UNKNOWN_SITE, sentence, FHIR)
        headers = dict(delivery.headers) if len(delivery.headers) > 1 else {}
        if not headers or MARKS.isdisjoint(headers):
            found = self._quickly(site, delivery)
            if found is not None:
                return site, found
        return self._unfold(site, delivery, headers)

    def _quickly(self, site: Site, delivery: Delivery) -> Plain | Entry | Nothing | None:
        """What the quick way makes of a delivery; None where the full way must look at it. Where it
        can be said by now, it is, and nothing else is kept of the message."""
        way = self._quick[site.name]
        found = plain(delivery.value, site.source)
        if found is None or not way.knows_patients:
            return found
        return self._taken(way, found, None, delivery)

    @staticmethod
    def _taken(
        way: QuickWay, found: Plain, knowing: Knowing | None, delivery: Delivery
    ) -> Entry | Nothing | None:
        history = len(delivery.headers) > 1 and is_history(delivery.headers)
        try:
            return way.take(found, knowing, history)
        except Exception as error:
            log.error("the quick way ended by %s", type(error).__name__)
            return None

    @staticmethod
    def _unfold(
        site: Site, delivery: Delivery, headers: Mapping[str, bytes]
    ) -> tuple[Site, Unfolded] | Rejection:
        try:
            if FILLED in headers:
                return site, Unfolded([])
            if FETCH in headers:
                wanted = json_text.parse(headers[FETCH])
                return site, Unfolded([Piece(delivery.value or b"", fetch=obj(wanted))])
            unfolded = unfold(delivery.value, site.source)
        except Refused as refusal:
            return refusal.rejection
        except Exception as error:
            return _unreadable("message", error)
        if MODIFIED in headers and len(unfolded.pieces) == 1:
            modified = headers[MODIFIED].decode("utf-8", "replace")
            unfolded.pieces[0] = replace(unfolded.pieces[0], modified=modified)
        if PATIENT_IS in headers and len(unfolded.pieces) == 1:
            patient = headers[PATIENT_IS].decode("utf-8", "replace")
            unfolded.pieces[0] = unfolded.pieces[0].of(patient)
        return site, unfolded

    def _site(self, delivery: Delivery) -> Site | None:
        return self._named.get(delivery.headers[0][1])

    def take(self, opened: Opened, knowing: Knowing, delivery: Delivery, found: Parts) -> None:
        """Take or refuse each of the resources."""
        site, parts = found
        if not isinstance(parts, Unfolded):
            if self._take_quickly(opened, knowing, delivery, site, parts):
                return
            again = self._unfold(site, delivery, {})
            if isinstance(again, Rejection):
                add(opened, delivery, again)
                return
            parts = again[1]
        pieces, said = parts.pieces, parts.notification
        if said is not None:
            missing = self._hear(opened, knowing, site, said)
            pieces = [*pieces, *(Piece(parts.status, fetch=fetch) for fetch in missing)]
        whole = len(pieces) == 1 and pieces[0].value == delivery.value
        for number, piece in enumerate(pieces):
            part = _part_of(delivery, site, piece, number, whole)
            self._piece(opened, knowing, site, piece, part)
        if not pieces:
            why = _EMPTY if said is None else _NOTIFIED.get(said.type, _OTHER)
            opened.ignored[why] += 1
            add(opened, delivery, None)

    def _take_quickly(
        self,
        opened: Opened,
        knowing: Knowing,
        delivery: Delivery,
        site: Site,
        found: Plain | Entry | Nothing,
    ) -> bool:
        """Whether it was taken; else the full way must look at it, and nothing has changed."""
        key = found.key if isinstance(found, Plain) else found.row.key
        if knowing.resource(key) is not None:
            return False
        way = self._quick[site.name]
        taken = self._taken(way, found, knowing, delivery) if isinstance(found, Plain) else found
        if taken is None:
            return False
        index = len(opened.results)
        add(opened, delivery, None)
        if isinstance(taken, Nothing):
            opened.ignored[taken.why] += 1
        else:
            event = event_key(site.source, taken.accepted.event.id)
            opened.incoming.append(Incoming(index, taken.accepted, taken.stream_id, event))
        knowing.take(taken.row)
        opened.resources.append((index, taken.row))
        return True

    def _hear(
        self, opened: Opened, knowing: Knowing, site: Site, said: Notification
    ) -> list[dict[str, object]]:
        """Count a notification; what must be asked for: what it skipped, and what it only hints."""
        name = f"subscription:{said.subscription}"
        counter, since, row = knowing.counter(resource_key(site.source, name), said)
        if row is not None:
            opened.resources.append((-1, row))
        if said.status in ENDED:
            log.warning("%s: a subscription is %s; activate it again", site.name, said.status)
        wanted: dict[str, object] = {"since": since, "subscription": said.subscription}
        found = [wanted | {"from": first, "to": last} for first, last in counter.missing]
        return [*found, wanted] if said.empty else found

    def _piece(
        self, opened: Opened, knowing: Knowing, site: Site, piece: Piece, part: Delivery
    ) -> None:
        if piece.refusal is not None:
            add(opened, part, piece.refusal.rejection)
            return
        if piece.fetch is not None:
            add(opened, part, _to_fetch(piece.fetch, site))
            return
        takes = [take_deletion] if piece.deleted else [take_resource]
        if site.patients.subject == "identifier" and piece.resource.get("resourceType") == PATIENT:
            takes.insert(0, take_identity)
        refusal: Rejection | None = None
        index = len(opened.results)
        add(opened, part, None)
        for take in takes:
            try:
                taken = take(piece, site, self._profiles[site.name], knowing)
            except Ignore as ignored:
                opened.ignored[ignored.why] += 1
                continue
            except Review as review:
                refusal = refusal or review.rejection
                continue
            except FAULTS as error:
                refusal = refusal or _unreadable(_kind(piece), error)
                continue
            if not taken.documents:
                opened.ignored[taken.why] += 1
            refusal = decode_all(opened, index, [taken], part, knowing) or refusal
        opened.results[index] = refusal


def _part_of(delivery: Delivery, site: Site, piece: Piece, number: int, whole: bool) -> Delivery:
    """A piece as a delivery of its own, which unfolds to itself when it is put in again."""
    if whole and piece.fetch is None:
        return delivery
    headers = list(marked(site.name))
    if is_history(delivery.headers):
        headers.append((HISTORY, b"true"))
    if piece.modified:
        headers.append((MODIFIED, piece.modified.encode("utf-8", "replace")))
    if piece.patient is not None:
        headers.append((PATIENT_IS, piece.patient.encode("utf-8", "replace")))
    if piece.fetch is not None:
        headers.append((FETCH, json.dumps(dict(piece.fetch)).encode()))
    origin = delivery.origin if whole else f"{delivery.origin}#{number}"
    return Delivery(piece.value, delivery.key, tuple(headers), origin, delivery.letter_id)


def _to_fetch(fetch: Mapping[str, object], site: Site) -> Rejection:
    if "from" in fetch:
        numbers = f"{fetch['from']} to {fetch['to']}"
        sentence = f"events {numbers} of a subscription did not arrive; they are asked for."
        return Rejection(Reason.FEED_GAP, sentence, "", f"{FETCH_KEY}{site.name}")
    sentence = "the notification brought no resource along; it is asked for."
    return Rejection(Reason.NOT_FETCHED, sentence, "", f"{FETCH_KEY}{site.name}")


def _unreadable(what: str, error: Exception) -> Rejection:
    """A fault of ours must not hold up the feed: what it happened to is kept, and it is told."""
    log.error("a %s cannot be read (%s)", what, type(error).__name__)
    return Rejection(Reason.NOT_FHIR, f"expected a {what} that can be read; found one that cannot.")


def _kind(piece: Piece) -> str:
    """A resource's kind for the log, and nothing that could name a patient."""
    kind = piece.resource.get("resourceType")
    return str(kind) if kind in MAPPED else "resource"
