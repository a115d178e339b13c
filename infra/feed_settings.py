"""Settings of feeds that are mapped by files: spreadsheets and change feeds of databases."""

from __future__ import annotations

from pydantic_settings import BaseSettings


class FeedSettings(BaseSettings):
    """A part of `infra.settings.Settings`."""

    mappings: str = ""
    """Mapping files of spreadsheets and databases: files or folders of TOML, parted by commas."""
    kafka_changes_topics: str = ""
    """Topics of Debezium, parted by commas; each is read by a door of its own."""


def listed(text: str) -> tuple[str, ...]:
    """Names that are parted by commas."""
    return tuple(filter(None, map(str.strip, text.split(","))))
