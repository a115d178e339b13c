"""The packet of the fixed scene, file by file: `python -m tests.audit.golden` writes it anew.

Whoever changes what a packet says sees there, line by line, what its reader will see.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from zipfile import ZipFile

from infra.eventstore import open_store
from services.audit.packet.evidence import Asked, gather
from services.audit.packet.files import packet
from tests.audit.growing import GrowingLog
from tests.audit.scene import MONTH, lived

FOLDER = Path(__file__).parents[1] / "data" / "packet"


def made(log: GrowingLog, as_of_us: int | None = None, patient: str = "pt1") -> bytes:
    """The packet's own bytes."""
    asked = Asked(None, patient, MONTH, as_of_us)
    return packet(gather(log.parts, log.parts.settings.policy_of, asked))


def unpacked(content: bytes) -> dict[str, bytes]:
    """Its files by name, in their order."""
    with ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def lasting(files: dict[str, bytes]) -> dict[str, bytes]:
    """Without the number of the release, which changes for other reasons."""
    manifest = json.loads(files["manifest.json"])
    del manifest["release"]
    return files | {"manifest.json": json.dumps(manifest, indent=1).encode() + b"\n"}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in lasting(unpacked(made(lived(open_store("memory:"))))).items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
