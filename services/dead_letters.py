"""Dead letters: looked through, and put in again once what was wrong with them is mended."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from domain.rejections import Rejection
from infra.codec import instant_text
from projections.letters import DeadLetter, LetterAct, LetterMoved
from projections.ports import Store
from services.ingest import Ingest
from services.releasing import delivery_of

PAGE_LETTERS = 100
"""Letters read at once; each may hold a payload of a mebibyte."""

BATCH_BYTES_MAX = 8 * 1_048_576
"""Payload in one transaction: bounds memory where letters are long."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are asked for. None is any; `origin` is the beginning of one; letters that
    were taken or set aside since are left out unless `taken_too`."""

    reason: str | None = None
    origin: str | None = None
    taken_too: bool = False

    def has(self, letter: DeadLetter) -> bool:
        return (
            self.reason in (None, letter.reason)
            and letter.origin.startswith(self.origin or "")
            and (self.taken_too or letter.is_open)
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a letter that was put in again; no rejection: it is taken."""

    letter_id: int
    rejection: Rejection | None


def find_letters(store: Store, wanted: Wanted) -> Iterator[DeadLetter]:
    """The letters asked for, oldest first."""
    after = 0
    while page := store.dead_letters(after, PAGE_LETTERS):
        after = page[-1].id
        yield from filter(wanted.has, page)


def letter_of(store: Store, letter_id: int) -> DeadLetter | None:
    """The letter of this id, None where there is none."""
    found = store.dead_letters(letter_id - 1, 1)
    return found[0] if found and found[0].id == letter_id else None


def replay_letters(
    ingest: Ingest, letters: Iterable[DeadLetter], batch_size: int
) -> Iterator[Replayed]:
    """Put letters in again as they first came, in transactions of `batch_size`.

    An event that is in the log already counts as taken. Raises whatever an outage of the store
    raises; transactions before that stand, and a further call goes on with the rest.
    """
    for batch in _batches(letters, batch_size):
        yield from _put_in(ingest, batch)


def _put_in(ingest: Ingest, batch: Sequence[DeadLetter]) -> Iterator[Replayed]:
    """In one transaction; one by one where a person corrected some meanwhile, which are taken."""
    try:
        results = ingest.take([delivery_of(letter) for letter in batch]).results
    except LetterMoved:
        if len(batch) == 1:
            yield Replayed(batch[0].id, None)
            return
        for letter in batch:
            yield from _put_in(ingest, [letter])
        return
    for letter, rejection in zip(batch, results, strict=True):
        yield Replayed(letter.id, rejection)


def as_listed(letter: DeadLetter) -> dict[str, Any]:
    """A letter without what came in it, for lists."""
    return {
        "id": letter.id,
        "received_at": instant_text(letter.received_at_us),
        "origin": letter.origin,
        "reason": letter.reason,
        "field": letter.field,
        "sentence": letter.sentence,
        "replayed_at": letter.replayed_at_us and instant_text(letter.replayed_at_us),
        "set_aside_at": letter.set_aside_at_us and instant_text(letter.set_aside_at_us),
    }


def as_shown(letter: DeadLetter, acts: Iterable[LetterAct]) -> dict[str, Any]:
    """A letter whole, with what people did with it. Bytes are {"text": …} where they are UTF-8,
    else {"base64": …}."""
    headers = [
        {"name": name.encode("utf-8", "backslashreplace").decode(), "value": _bytes(value)}
        for name, value in letter.headers
    ]
    return as_listed(letter) | {
        "key": None if letter.key is None else _bytes(letter.key),
        "headers": headers,
        "value": None if letter.value is None else _bytes(letter.value),
        "acts": [_as_told(act) for act in acts],
    }


def _as_told(act: LetterAct) -> dict[str, Any]:
    return {
        "at": instant_text(act.at_us),
        "kind": act.kind.value,
        "by": act.by,
        "reason": act.reason,
        "value": None if act.value is None else _bytes(act.value),
    }


def _bytes(value: bytes) -> dict[str, str]:
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def as_replayed(replayed: Replayed) -> dict[str, Any]:
    """What became of a letter; reason, field and sentence are null where it was taken."""
    rejection = replayed.rejection
    return {
        "id": replayed.letter_id,
        "taken": rejection is None,
        "reason": rejection and rejection.reason.value,
        "field": rejection and rejection.field,
        "sentence": rejection and rejection.sentence,
    }


def _batches(letters: Iterable[DeadLetter], batch_size: int) -> Iterator[list[DeadLetter]]:
    batch: list[DeadLetter] = []
    size = 0
    for letter in letters:
        batch.append(letter)
        size += len(letter.value or b"")
        if len(batch) >= batch_size or size >= BATCH_BYTES_MAX:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
