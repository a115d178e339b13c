"""The Merkle tree against RFC 6962: published hashes, and its own recursion written naively."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.transparency.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    consistency_path,
    fold_complete,
    inclusion_path,
    is_consistent,
    is_included,
    leaf_hash,
    root_hash,
)

# The eight leaves that Certificate Transparency's own tests use, and their roots by size.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as the RFC writes it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as the RFC writes it."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF as the RFC writes it."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


class Listed:
    """Complete subtrees of a list."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._hashes = [leaf_hash(leaf) for leaf in leaves]

    def __call__(self, level: int, index: int) -> bytes:
        hashes = self._hashes[index << level : (index + 1) << level]
        assert len(hashes) == 1 << level
        return fold_complete(hashes)


def made(n: int) -> list[bytes]:
    return [b"leaf %d" % i for i in range(n)]


def test_the_empty_tree_has_the_published_root() -> None:
    assert (
        GrowingTree().root().hex()
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert root_hash(0, Listed([])) == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    tree = GrowingTree()
    for leaf in LEAVES[:size]:
        tree.append(leaf_hash(leaf))
    assert tree.root().hex() == ROOTS[size - 1]
    assert root_hash(size, Listed(LEAVES)).hex() == ROOTS[size - 1]


def test_a_published_path_and_proof() -> None:
    """Leaf 0 of 8, and 2 of 6, in the same test vectors."""
    path = inclusion_path(0, 8, Listed(LEAVES))
    assert [hash.hex()[:8] for hash in path] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    proof = consistency_path(6, 8, Listed(LEAVES))
    assert [hash.hex()[:8] for hash in proof] == ["0ebc5d34", "ca854ea1", "d37ee418"]


@given(st.integers(1, 300))
def test_roots_equal_the_naive_recursion(size: int) -> None:
    leaves = made(size)
    tree = GrowingTree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    assert tree.root() == naive_root(leaves) == root_hash(size, Listed(leaves))


@given(st.data())
def test_an_inclusion_path_is_the_naive_one_and_holds_for_nothing_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    leaves, root = made(size), naive_root(made(size))
    path = inclusion_path(index, size, Listed(leaves))
    assert path == naive_path(index, leaves)
    leaf = leaf_hash(leaves[index])
    assert is_included(leaf, index, size, path, root)
    assert not is_included(leaf_hash(b"another"), index, size, path, root)
    assert not is_included(leaf, index, size, [*path, root], root)
    other = data.draw(st.integers(0, size - 1))
    assert other == index or not is_included(leaf, other, size, path, root)
    if path:
        assert not is_included(leaf, index, size, path[:-1], root)


@given(st.data())
def test_a_consistency_proof_is_the_naive_one_and_holds_for_nothing_else(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(1, 200))
    first = data.draw(st.integers(1, size))
    leaves = made(size)
    old, new = naive_root(leaves[:first]), naive_root(leaves)
    path = consistency_path(first, size, Listed(leaves))
    assert path == naive_proof(first, leaves)
    assert is_consistent(first, old, size, new, path)
    changed = naive_root([b"changed", *leaves[1:]])
    assert not is_consistent(first, old, size, changed, path)
    assert not is_consistent(first, sha256(old).digest(), size, new, path)
    assert not is_consistent(first, old, size, new, [*path, new])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_what_is_not_in_the_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_path(index, size, Listed(made(3)))


@pytest.mark.parametrize(("first", "size"), [(0, 3), (4, 3)])
def test_what_is_no_beginning_has_no_proof(first: int, size: int) -> None:
    with pytest.raises(ValueError, match="no beginning"):
        consistency_path(first, size, Listed(made(3)))
