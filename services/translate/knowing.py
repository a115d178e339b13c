"""What a batch knows: the stored read model, and what its own earlier pieces changed."""

from __future__ import annotations

import msgspec

from domain.facts import IdentityLinked
from infra.codec import stream_id
from projections.ports import TakenResource
from projections.translated import Translations, identity_key, resource_key
from services.translate.notification import Counter, Notification
from services.translate.outcome import Review
from services.translate.people import whose
from services.translate.reading import text
from services.translate.site import Site
from services.translate.unfold import Piece, Unfolded
from services.wire.decode import Accepted


class _Heard(msgspec.Struct, frozen=True):
    """The body of a subscription's row."""

    last: int
    at: str


class Knowing:
    """Reads in few questions before the batch, and overlays what the batch makes of it."""

    def __init__(self, translations: Translations) -> None:
        self._translations = translations
        self._patients: dict[str, str] = {}
        self._resources: dict[str, TakenResource] = {}
        self._asked: set[str] = set()

    def prefetch(self, identities: set[str], resources: set[str]) -> None:
        """Read what will be asked for."""
        self._asked = identities | resources
        self._patients.update(self._translations.patients(identities) if identities else {})
        self._resources.update(self._translations.resources(resources) if resources else {})

    def patient(self, key: str) -> str | None:
        """The stream of the patient whom an identity key means."""
        if key not in self._asked and key not in self._patients:
            self._asked.add(key)
            self._patients.update(self._translations.patients([key]))
        return self._patients.get(key)

    def resource(self, key: str) -> TakenResource | None:
        """What was taken of a resource."""
        if key not in self._asked and key not in self._resources:
            self._asked.add(key)
            self._resources.update(self._translations.resources([key]))
        return self._resources.get(key)

    def take(self, row: TakenResource) -> None:
        """An earlier piece of the batch took this."""
        self._resources[row.key] = row

    def hear(self, accepted: Accepted) -> None:
        """An earlier piece of the batch holds this event."""
        event = accepted.event
        if isinstance(event.fact, IdentityLinked):
            key = identity_key(event.practice_id, event.fact.system, event.fact.value)
            self._patients[key] = stream_id(event.practice_id, event.patient_id)

    def counter(self, key: str, said: Notification) -> tuple[Counter, str, TakenResource | None]:
        """The subscription's counter after a notification, since when something is missing, and
        the row to write, None where nothing moved."""
        row = self.resource(key)
        heard = _Heard(0, "") if row is None else msgspec.json.decode(row.body, type=_Heard)
        counter = Counter(heard.last, heard.at)
        counter.hear(said)
        after = _Heard(counter.last, counter.at)
        if after == heard and row is not None:
            return counter, heard.at, None
        revision = 1 if row is None else row.revision + 1
        moved = TakenResource(key, revision, msgspec.json.encode(after))
        self.take(moved)
        return counter, heard.at, moved


def keys_of(site: Site, unfolded: Unfolded) -> tuple[set[str], set[str]]:
    """The keys of identities and of resources that the pieces of a message will ask for."""
    identities: set[str] = set()
    resources: set[str] = set()
    if (said := unfolded.notification) is not None:
        resources.add(resource_key(site.source, f"subscription:{said.subscription}"))
    for piece in unfolded.pieces:
        resources.update(resource_key(site.source, name) for name in names_of(piece))
        if (key := _identity_of(piece, site)) is not None:
            identities.add(key)
    return identities, resources


def names_of(piece: Piece) -> list[str]:
    """The names under which the ledger has a piece."""
    if piece.deleted:
        return [piece.deleted]
    kind, name = text(piece.resource.get("resourceType")), text(piece.resource.get("id"))
    found = [f"{kind}/{name}"] if name else []
    return [*found, f"{kind}/{name}#identity"] if kind == "Patient" and name else found


def _identity_of(piece: Piece, site: Site) -> str | None:
    if not piece.resource:
        return None
    try:
        return identity_key(site.practice, *whose(piece.resource, site))
    except Review:
        return None
