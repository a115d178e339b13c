"""The Merkle tree of RFC 6962 (section 2.1) over SHA-256: roots, proofs, and their checks.

A tree is known by its complete subtrees: `Subtrees(level, index)` is the hash over the `2**level`
leaves that begin at `index << level`. Where they come from, a list or a table, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

Subtrees = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def fold_complete(hashes: Sequence[bytes]) -> bytes:
    """The hash over a complete subtree, from hashes of one level; their number is a power of 2."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(*level[at : at + 2]) for at in range(0, len(level), 2)]
    return level[0]


class GrowingTree:
    """A tree that leaves are appended to; keeps one hash for each bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            size >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_hash(size: int, subtrees: Subtrees) -> bytes:
    """The root over the first `size` leaves."""
    return _root(0, size, subtrees) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, subtrees: Subtrees) -> list[bytes]:
    """The audit path of leaf `index` in the tree over `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    low, high = 0, size
    path: list[bytes] = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_root(middle, high, subtrees))
            high = middle
        else:
            path.append(_root(low, middle, subtrees))
            low = middle
    return path[::-1]


def consistency_path(first: int, size: int, subtrees: Subtrees) -> list[bytes]:
    """The proof that the tree over `first` leaves is a beginning of the one over `size`."""
    if not 0 < first <= size:
        raise ValueError(f"a tree of {first} is no beginning of a tree of {size}")
    low, high, whole = 0, size, True
    path: list[bytes] = []
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            path.append(_root(middle, high, subtrees))
            high = middle
        else:
            path.append(_root(low, middle, subtrees))
            low, whole = middle, False
    if not whole:
        path.append(_root(low, high, subtrees))
    return path[::-1]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf's hash to the root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, hash = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            hash = node_hash(step, hash)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            hash = node_hash(hash, step)
        here, last = here >> 1, last >> 1
    return last == 0 and hash == root


def is_consistent(
    first: int, first_root: bytes, size: int, root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the path shows the first tree to be a beginning (RFC 9162, section 2.1.4.2)."""
    if first == size:
        return not path and first_root == root
    if not 0 < first < size or not path:
        return False
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    here, last = first - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, step)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_root and new == root


def _split(size: int) -> int:
    """The greatest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(low: int, high: int, subtrees: Subtrees) -> bytes:
    size = high - low
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtrees(level, low >> level)
    middle = low + _split(size)
    return node_hash(_root(low, middle, subtrees), _root(middle, high, subtrees))
