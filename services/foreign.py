"""The foreign forms that a process takes, by the profiles and mappings of its settings."""

from __future__ import annotations

from collections.abc import Mapping

from infra.settings import Settings
from projections.translated import Translations
from services.rows.feed import RowsFeed
from services.rows.files import read_mappings
from services.rows.mapping import TableMapping
from services.rows.marks import CHANGE, SHEET
from services.translate.feed import FhirFeed
from services.translate.feeds import Feed, Feeds
from services.translate.hl7v2.feed import Hl7Feed
from services.translate.site import Site, read_sites

Profiles = tuple[Mapping[str, Site], Mapping[str, TableMapping]]


def read_profiles(settings: Settings) -> Profiles:
    """Site profiles and mappings. Raises SiteError and MappingError."""
    return read_sites(settings.fhir_sites), read_mappings(settings.mappings)


def feeds(
    translations: Translations, sites: Mapping[str, Site], mappings: Mapping[str, TableMapping]
) -> Feeds:
    """What knows the forms: FHIR and HL7 v2 by site, rows by mapping."""
    found: list[Feed] = []
    if sites:
        found += [FhirFeed(sites), Hl7Feed(sites)]
    if mappings:
        found += [RowsFeed(SHEET, mappings), RowsFeed(CHANGE, mappings)]
    return Feeds(translations, *found)
