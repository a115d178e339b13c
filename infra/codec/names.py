"""Names in the store: the stream of a patient, the key of an event."""

from __future__ import annotations

from hashlib import blake2b


def stream_id(practice_id: str, patient_id: str) -> str:
    """`<practice>/<patient>`; `%` and `/` of the practice are escaped, so the first `/` splits."""
    if "%" in practice_id or "/" in practice_id:
        practice_id = practice_id.replace("%", "%25").replace("/", "%2F")
    return f"{practice_id}/{patient_id}"


def split_stream_id(stream_id: str) -> tuple[str, str]:
    """Practice and patient of a stream id. Raises ValueError when there is no `/` in it."""
    practice, slash, patient = stream_id.partition("/")
    if not slash:
        raise ValueError(f"stream id {stream_id!r} has no '/' between practice and patient")
    return practice.replace("%2F", "/").replace("%25", "%"), patient


def event_key(source: str, id: str) -> bytes:
    """The 16-byte global dedupe key of (`source`, `id`)."""
    return blake2b(f"{len(source)}:{source}{id}".encode(), digest_size=16).digest()
