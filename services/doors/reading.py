"""Takes the next batch from the consumer, whatever a foreign producer wrote.

The client library parses records with two faults of its own: a header name that is not UTF-8
makes it raise for ever, and when it raises it has already moved past records that it did not hand
out. So after any fault every partition is placed anew, and the one record that the library cannot
parse is read here.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import ConsumerStoppedError  # type: ignore[import-untyped]
from aiokafka.protocol.fetch import FetchRequest  # type: ignore[import-untyped]
from aiokafka.record.default_records import (  # type: ignore[import-untyped]
    _DefaultRecordBatchPy as RecordBatch,
)

from services.doors.placing import Placing, feed

log = logging.getLogger("caretally.kafka")

LENGTH_END = 12
"""A record batch begins with its offset (8 bytes) and the length of the rest (4 bytes)."""

FETCH_BYTES = 1024 * 1024


class Reading:
    """The batch subscriber's way to its next batch."""

    def __init__(self, placing: Placing, max_records: int, timeout_ms: int) -> None:
        self._placing = placing
        self._max_records = max_records
        self._timeout_ms = timeout_ms
        self._careful = False

    async def __call__(self, consumer: Any) -> tuple[ConsumerRecord, ...]:
        """The next records, or none; raises what the library raises once all is placed anew."""
        try:
            if self._careful:
                return await self._one_by_one(consumer)
            found = await consumer.getmany(
                timeout_ms=self._timeout_ms, max_records=self._max_records
            )
        except ConsumerStoppedError:
            raise
        except UnicodeDecodeError:
            log.warning("a record cannot be parsed: looking for it")
            self._careful = True
            self._placing.replace(consumer.assignment())
            return ()
        except Exception:
            self._placing.replace(consumer.assignment())
            raise
        if not found:
            await asyncio.sleep(self._timeout_ms / 1000)
        return tuple(record for records in found.values() for record in records)

    async def _one_by_one(self, consumer: Any) -> tuple[ConsumerRecord, ...]:
        """Records singly, so that the place of the bad one is known when it comes."""
        batch: list[ConsumerRecord] = []
        for partition in list(self._placing.next):
            while len(batch) < self._max_records:
                try:
                    found = await consumer.getmany(partition, timeout_ms=0, max_records=1)
                except UnicodeDecodeError:
                    bad = await read_leniently(
                        consumer, partition, await consumer.position(partition)
                    )
                    consumer.seek(partition, bad.offset + 1)
                    log.warning("%s@%d has a header name not in UTF-8", feed(partition), bad.offset)
                    self._careful = False
                    return (*batch, bad)
                if not found:
                    break
                batch += found[partition]
        if not batch:
            await asyncio.sleep(self._timeout_ms / 1000)
        return tuple(batch)


async def read_leniently(consumer: Any, partition: TopicPartition, offset: int) -> ConsumerRecord:
    """The first record at or after the offset, its header names with `\\xNN` for bad bytes."""
    client = consumer._client
    node = client.cluster.leader_for_partition(partition)
    wanted = [(partition.topic, [(partition.partition, offset, FETCH_BYTES)])]
    response = await client.send(node, FetchRequest(500, 1, FETCH_BYTES, 0, wanted))
    for record in _records(response.topics[0][1][0][-1]):
        if record.offset >= offset:
            return ConsumerRecord(
                topic=partition.topic,
                partition=partition.partition,
                offset=record.offset,
                timestamp=record.timestamp,
                timestamp_type=record.timestamp_type,
                key=record.key,
                value=record.value,
                checksum=None,
                serialized_key_size=len(record.key or b""),
                serialized_value_size=len(record.value or b""),
                headers=tuple(record.headers),
            )
    raise RuntimeError(f"{feed(partition)}: no record at {offset}")


def _records(data: bytes) -> list[Any]:
    """All records of whole batches; control batches hold none."""
    found: list[Any] = []
    while len(data) > LENGTH_END:
        end = LENGTH_END + int.from_bytes(data[8:LENGTH_END], "big")
        if len(data) < end:
            break
        batch = RecordBatch(bytearray(data[:end]))
        batch._maybe_uncompress()
        batch._buffer = _Lenient(batch._buffer)
        if not batch.is_control_batch:
            found += list(batch)
        data = data[end:]
    return found


class _Lenient(bytearray):
    """Bytes whose slices decode without complaint."""

    def __getitem__(self, index: Any) -> Any:
        part = super().__getitem__(index)
        return _Lenient(part) if isinstance(index, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "") -> str:
        return super().decode(encoding, errors or "backslashreplace")
