"""What a process with translated feeds runs: doors to Kafka, the release of letters, the pull."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from infra.eventstore.translated import open_translations
from infra.fhirserver import Credentials, FhirServer
from infra.kafka import KafkaSettings
from services.bootstrap import Parts, SharedIngest
from services.doors.kafka import KafkaDoor
from services.doors.mllp import MllpDoor
from services.pulling import Pulling
from services.releasing import Releasing
from services.rows.marks import CHANGE, MAPPING
from services.serve.background import Background
from services.serve.roles import RoleError
from services.serve.web import bound
from services.translate.marks import FHIR, HL7V2, SITE, from_kafka
from services.translate.site import Pull, Site, SiteError


def kafka_doors(parts: Parts, kafka: KafkaSettings, ingest: SharedIngest) -> dict[str, KafkaDoor]:
    """The doors to Kafka, by what is put behind the names of their checks."""
    doors = {"": KafkaDoor(kafka, ingest, parts.store.tracking)}
    if parts.sites:
        awaited = any(site.speaks_fhir for site in parts.sites.values())
        fhir = kafka.of_feed(kafka.fhir_topic, "fhir")
        doors["-fhir"] = _door(fhir, ingest, parts, FHIR, awaited=awaited)
    if any(site.hl7v2 for site in parts.sites.values()):
        doors["-hl7v2"] = _door(kafka.of_feed(kafka.hl7v2_topic, "hl7v2"), ingest, parts, HL7V2)
    for number, topic in enumerate(kafka.changes_topics, start=1):
        name = "changes" if number == 1 else f"changes-{number}"
        feed = kafka.of_feed(topic, f"changes-{topic}")
        doors[f"-{name}"] = _door(feed, ingest, parts, CHANGE, MAPPING)
    return doors


def _door(
    kafka: KafkaSettings,
    ingest: SharedIngest,
    parts: Parts,
    form: str,
    by: str = SITE,
    awaited: bool = True,
) -> KafkaDoor:
    mark = partial(from_kafka, form=form, by=by)
    return KafkaDoor(kafka, ingest, parts.store.tracking, mark, awaited)


def background(parts: Parts, ingest: SharedIngest, listens: bool) -> list[Background]:
    """What translated feeds need beside their doors (role `ingest`, and whoever takes events);
    `listens`: the MLLP door too. Raises RoleError where that cannot be opened."""
    if listens:
        return [*background(parts, ingest, False), _mllp(parts, ingest)]
    if not (parts.sites or parts.mappings):
        return []
    translations = open_translations(parts.store)
    found: list[Background] = [Releasing(parts.store, translations, ingest)]
    for site in parts.sites.values():
        if site.pull is not None:
            found.append(Pulling(site, _server(site, site.pull), translations, ingest))
    return found


def _mllp(parts: Parts, ingest: SharedIngest) -> MllpDoor:
    """The MLLP door, bound."""
    settings, address = parts.settings, parts.settings.mllp_address
    assert address is not None
    known = [name for name, site in parts.sites.items() if site.hl7v2]
    if not known:
        raise RoleError("CARETALLY_MLLP: needs a site profile with [hl7v2]")
    if settings.mllp_site and settings.mllp_site not in known:
        raise RoleError(f"CARETALLY_MLLP_SITE: expected one of {', '.join(known)}, or nothing")
    try:
        return MllpDoor(settings, bound(*address), ingest, parts.clock)
    except (OSError, ValueError) as error:
        raise RoleError(f"CARETALLY_MLLP {settings.mllp}: cannot be served: {error}") from None


def _server(site: Site, pull: Pull) -> FhirServer:
    """The server of a site. Raises SiteError when its key cannot be read."""
    if not (pull.token_url and pull.client_id and pull.key_file):
        return FhirServer(site.source)
    key, names = Path(pull.key_file), (pull.algorithm, pull.key_id)
    try:
        credentials = Credentials(pull.token_url, pull.client_id, key, pull.scope, *names)
    except OSError as error:
        raise SiteError(f"{site.name}: pull.key_file: cannot be read: {error.strerror}") from None
    return FhirServer(site.source, credentials)
