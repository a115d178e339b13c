"""Which version of a resource this is, and when its source recorded it."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from domain.rejections import Reason
from infra.codec import canonical_json, sorted_json
from services.translate.outcome import Ignore, Review
from services.translate.reading import ID, Resource, first, obj, text
from services.translate.site import Site
from services.translate.times import moment, recorded_text
from services.wire.instants import FIRST_DAY, instant_us

_CLINICAL = ("lastModified", "recordedDate", "authoredOn", "created", "dateTime", "date")
_PERIODS = ("period", "actualPeriod", "executionPeriod", "performedPeriod", "occurrencePeriod")
_DATES = ("onsetDateTime", "performedDateTime", "occurrenceDateTime", "deceasedDateTime")


AFTER = "~"
"""In a version, and in an event id, before what comes after all else of the same name: no
character of an id is greater."""


class Stamp(NamedTuple):
    """`recorded` is the event time, as text; `version` the server's name for the version, '' where
    it has none; `digest` stands for the content."""

    recorded: str
    version: str
    digest: str

    @property
    def order(self) -> tuple[int, int, str]:
        """What a later version is greater in: time, then the number or name of the version."""
        digits = self.version.partition(AFTER)[0]
        number = int(digits) if digits.isascii() and digits.isdigit() else -1
        return instant_us(self.recorded), number, self.version

    @property
    def name(self) -> str:
        """The version's part in event ids."""
        return self.version or self.digest[:12]


def digest_of(value: Any) -> str:
    """A digest of JSON values, whatever the order of members."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def stamp(resource: Resource, modified: str, site: Site) -> Stamp:
    """The stamp of a resource; `modified` is what the server said beside it. Raises `Review`.

    The resource's numbers are in canonical form, as `unfold` gives them.
    """
    meta = obj(resource.get("meta"))
    version = text(meta.get("versionId"))
    if version and not ID.fullmatch(version):
        raise Review(Reason.INVALID_MEMBER, "meta.versionId", "expected an id; found another text")
    content = resource.copy()
    content.pop("meta", None)
    content.pop("text", None)
    try:
        digest = hashlib.sha256(sorted_json(content)).hexdigest()
    except (ValueError, OverflowError):
        sentence = "expected numbers that can be written down again; found others"
        raise Review(Reason.INVALID_MEMBER, "", sentence) from None
    return Stamp(_recorded(resource, meta, modified, site), version, digest)


def _recorded(resource: Resource, meta: Resource, modified: str, site: Site) -> str:
    if meta.get("lastUpdated") is not None:
        return recorded_text(meta["lastUpdated"], "meta.lastUpdated")
    if modified:
        return recorded_text(modified, "response.lastModified")
    if site.without_last_updated == "clinical-time":
        return _clinical(resource)
    sentence = "expected when the server recorded this version; it is missing"
    raise Review(Reason.NO_RECORDED_TIME, "meta.lastUpdated", sentence)


def _clinical(resource: Resource) -> str:
    """The resource's own latest word on when it was; the end of a day that is all there is."""
    periods = [obj(first(resource, *_PERIODS))]
    dated = [resource.get(name) for name in _CLINICAL]
    dated += [period.get(end) for period in periods for end in ("end", "start")]
    dated += [resource.get(name) for name in _DATES]
    for value in dated:
        if value is None:
            continue
        found = moment(value, "meta.lastUpdated")
        if found.day("UTC") < FIRST_DAY:
            return f"{FIRST_DAY}T00:00:00Z"
        whole = found.text if found.at is not None else f"{found.text}T23:59:59Z"
        return recorded_text(whole, "meta.lastUpdated")
    if resource.get("resourceType") == "Patient":
        raise Ignore("undated")
    sentence = "expected any date by which to order versions; found none"
    raise Review(Reason.NO_RECORDED_TIME, "meta.lastUpdated", sentence)
