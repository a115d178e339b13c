"""The time zone data that every answer is computed with.

Which calendar month a minute falls in depends on the zone data, and machines differ in theirs:
some are years old, some lack the old names, containers often have none. So the machine's files
are never read: Python's own `zoneinfo` takes the pinned `tzdata` package instead, and equal
releases give equal answers everywhere. Importing this module does it; `services` imports it first
of all, before anything can have asked for a zone.
"""

from __future__ import annotations

import zoneinfo
from importlib.metadata import version


def pin_zones() -> None:
    """Take zones from the `tzdata` package alone, in this process, from now on."""
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()


def zones_version() -> str:
    """The release of the zone data, such as `2025.2`.

    Raises `importlib.metadata.PackageNotFoundError` when the package is not installed.
    """
    return version("tzdata")


pin_zones()
