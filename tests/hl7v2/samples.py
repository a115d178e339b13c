"""HL7 v2 messages that nobody here wrote, where they are at hand: from the tests of the
LinuxForHealth converter (Apache-2.0). The product neither ships nor needs them."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

FILE = Path(__file__).parents[3] / "shared" / "data" / "hl7v2_half.tar.gz"


def foreign() -> dict[str, bytes]:
    """By name; none where the file is absent."""
    if not FILE.exists():
        return {}
    with tarfile.open(FILE) as archive:
        members = [each for each in archive.getmembers() if each.name.endswith(".hl7")]
        return {each.name: archive.extractfile(each).read() for each in members}  # type: ignore[union-attr]


needs_foreign = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not at hand")
