"""The disk under SQLite, by a shim over its file system layer: recorded, cut short, or slow.

The library's own default layer is changed in place, so what runs above it is the product as it is,
with the interpreter's own `sqlite3`. Only the write-side calls are seen: write, truncate, sync,
delete; the shared memory file is no part of what survives.
"""

from __future__ import annotations

import _sqlite3
import ctypes as c
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

OK = 0
WRITE, TRUNCATE, SYNC, DELETE = 2, 3, 4, 1
"""Which entry of SQLite's table of file methods (and, for DELETE, of system methods) is seen."""

File = c.c_void_p
Address = c.c_void_p
"""Handed on as it came: SQLite keeps the address, and reads beyond the string's end."""

Open = c.CFUNCTYPE(c.c_int, c.c_void_p, Address, File, c.c_int, c.c_void_p)
Delete = c.CFUNCTYPE(c.c_int, c.c_void_p, Address, c.c_int)
Write = c.CFUNCTYPE(c.c_int, File, c.c_void_p, c.c_int, c.c_int64)
Truncate = c.CFUNCTYPE(c.c_int, File, c.c_int64)
Sync = c.CFUNCTYPE(c.c_int, File, c.c_int)


class Methods(c.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = (("iVersion", c.c_int), ("calls", c.c_void_p * 18))


class System(c.Structure):
    """The beginning of `sqlite3_vfs`."""

    _fields_ = (
        ("iVersion", c.c_int),
        ("szOsFile", c.c_int),
        ("mxPathname", c.c_int),
        ("pNext", c.c_void_p),
        ("zName", c.c_char_p),
        ("pAppData", c.c_void_p),
        ("xOpen", c.c_void_p),
        ("xDelete", c.c_void_p),
    )


class Operation(NamedTuple):
    """What was asked of the disk; `name` is a file's name without its folder."""

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""


Seen = Callable[[Operation], None]


_ALIVE: list[Any] = []
"""What C code calls must never be collected."""


class Shim:
    """Sees what SQLite asks of the disk, for every file opened after `install`."""

    def __init__(self, seen: Seen) -> None:
        """`seen` is called before each operation and may take its time."""
        self._seen = seen
        self._names: dict[int, str] = {}
        self._tables: dict[int, Methods] = {}

    def install(self) -> None:
        """From now on, in this process. There is no way back: use a process of its own."""
        library = c.CDLL(_sqlite3.__file__)
        library.sqlite3_initialize()
        library.sqlite3_vfs_find.restype = c.POINTER(System)
        system = library.sqlite3_vfs_find(None).contents
        real_open, real_delete = Open(system.xOpen), Delete(system.xDelete)

        def opened(vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
            code: int = real_open(vfs, path, file, flags, out)
            if code == OK and path is not None:
                self._names[file] = _name(path)
                place = c.c_void_p.from_address(file)
                place.value = c.addressof(self._table(place.value or 0))
            return code

        def deleted(vfs: int, path: int, sync: int) -> int:
            self._seen(Operation("delete", _name(path)))
            return int(real_delete(vfs, path, sync))

        system.xOpen = self._kept(Open(opened))
        system.xDelete = self._kept(Delete(deleted))

    @staticmethod
    def _kept(function: Any) -> int:
        _ALIVE.append(function)
        return c.cast(function, c.c_void_p).value or 0

    def _table(self, real: int) -> Methods:
        """A copy of a table of file methods in which the writing ones are ours."""
        if real in self._tables:
            return self._tables[real]
        table = Methods.from_buffer_copy(Methods.from_address(real))
        calls = table.calls
        write, truncate, sync = Write(calls[WRITE]), Truncate(calls[TRUNCATE]), Sync(calls[SYNC])

        def written(file: int, data: int, length: int, offset: int) -> int:
            self._seen(Operation("write", self._names[file], offset, c.string_at(data, length)))
            return int(write(file, data, length, offset))

        def cut(file: int, size: int) -> int:
            self._seen(Operation("truncate", self._names[file], size))
            return int(truncate(file, size))

        def synced(file: int, flags: int) -> int:
            self._seen(Operation("sync", self._names[file]))
            return int(sync(file, flags))

        calls[WRITE] = self._kept(Write(written))
        calls[TRUNCATE] = self._kept(Truncate(cut))
        calls[SYNC] = self._kept(Sync(synced))
        self._tables[real] = table
        return table


def _name(path: int) -> str:
    return c.string_at(path).decode().rpartition("/")[2]


def after_power_loss(operations: Sequence[Operation], rng: random.Random) -> dict[str, bytes]:
    """The files as a power loss may leave them: what was synced is whole; of the rest each write
    may be there, missing, or torn at any byte, whatever came after it."""
    files: dict[str, bytearray] = {}
    waiting: dict[str, list[Operation]] = {}
    for operation in operations:
        name = operation.name
        if operation.kind == "sync":
            for one in waiting.pop(name, ()):
                _apply(files, one)
        elif operation.kind == "delete":  # SQLite has the folder synced in the same call
            files.pop(name, None)
            waiting.pop(name, None)
        else:
            waiting.setdefault(name, []).append(operation)
    chance = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
    for unsynced in waiting.values():
        for one in unsynced:
            if rng.random() < chance:
                _apply(files, _torn(one, rng) if rng.random() < 0.3 else one)
    return {name: bytes(content) for name, content in files.items()}


def _torn(operation: Operation, rng: random.Random) -> Operation:
    return operation._replace(data=operation.data[: rng.randrange(len(operation.data) + 1)])


def _apply(files: dict[str, bytearray], operation: Operation) -> None:
    content = files.setdefault(operation.name, bytearray())
    if operation.kind == "truncate":
        del content[operation.offset :]
        return
    end = operation.offset + len(operation.data)
    content.extend(bytes(max(0, end - len(content))))
    content[operation.offset : end] = operation.data


def write(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
