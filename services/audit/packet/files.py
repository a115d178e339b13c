"""The files of a packet, their manifest, and the archive they are handed over in.

Equal evidence under one checkpoint gives equal bytes: no clock, no name of a machine, no
compression whose output a library's release could change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from infra.answers import assessment_json
from infra.codec import link, stream_id
from services.audit.forms import encode
from services.audit.packet.evidence import Evidence
from services.audit.packet.itemised import time_csv, time_rows
from services.audit.packet.page import page
from services.explain import explain_json
from services.wire.encode import to_cloudevent

FORMAT: Final = "caretally-evidence-1"
MANIFEST: Final = "manifest.json"
NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that the form can say: an archive of evidence has no time of its own."""


def packet(evidence: Evidence) -> bytes:
    """The whole packet as one zip."""
    files = packet_files(evidence)
    return archive({**files, MANIFEST: _pretty(_manifest(evidence, files))})


def packet_files(evidence: Evidence) -> dict[str, bytes]:
    """What a person reads first comes first."""
    return {
        "evidence.html": page(evidence),
        "time.csv": time_csv(time_rows(evidence)),
        "assessment.json": assessment_json(evidence.answer) + b"\n",
        "explanation.json": explain_json(evidence.explained) + b"\n",
        "events.ndjson": b"".join(line + b"\n" for line in _events(evidence)),
        "chain.ndjson": b"".join(line + b"\n" for line in _chain(evidence)),
        **evidence.seal,
    }


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files in this order."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as packed:
        for name, content in files.items():
            packed.writestr(entry(name), content)
    return out.getvalue()


def entry(name: str) -> ZipInfo:
    """A file's head in an archive, the same on every machine."""
    info = ZipInfo(name, NO_TIME)
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def _events(evidence: Evidence) -> Iterator[bytes]:
    """The events that bear on the month, as CloudEvents with the time of their recording."""
    bearing = {event.key for event in evidence.bearing}
    history = evidence.history
    for stored, event in zip(history.stored, history.events, strict=True):
        if event.key in bearing:
            yield to_cloudevent(stored)


def _chain(evidence: Evidence) -> Iterator[bytes]:
    """The patient's chain of hashes up to here, one event a line.

    `link` is the SHA-256 of the stored event. Of events that bear on the month `name` and `state`
    are given as they are stored, so that each link can be computed again, and the `previous` in
    each state compared with the link of the line before. Of the others the link alone is given:
    they are no business of this month's reader, and cannot be exchanged all the same.
    """
    bearing = {event.key for event in evidence.bearing}
    history = evidence.history
    for stored, event in zip(history.stored, history.events, strict=True):
        line: dict[str, Any] = {
            "version": stored.version,
            "link": link(stored.stream_id, stored.version, stored.name, stored.state).hex(),
        }
        if event.key in bearing:
            line |= {"name": stored.name, "state": stored.state.decode()}
        yield encode(line)


def _manifest(evidence: Evidence, files: Mapping[str, bytes]) -> dict[str, Any]:
    answer, basis = evidence.answer, evidence.explained.basis
    last = evidence.history.stored[-1]
    return {
        "format": FORMAT,
        "practice_id": answer.practice_id,
        "patient_id": answer.patient_id,
        "month": answer.month,
        "as_of": answer.as_of,
        "release": version("caretally"),
        "rules": {"version": basis.rules_version, "digest": basis.rules_digest},
        "rule_book": basis.book_digest,
        "fees": basis.fees_digest,
        "policy": encode_policy(evidence),
        "chain": {
            "stream": stream_id(answer.practice_id, answer.patient_id),
            "version": last.version,
            "head": link(last.stream_id, last.version, last.name, last.state).hex(),
        },
        "files": [
            {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in files.items()
        ],
    }


def encode_policy(evidence: Evidence) -> Any:
    """The practice's policy that the answer was given by."""
    return json.loads(encode(evidence.policy))


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
