"""The log as a transparency log: its Merkle tree, signed checkpoints, proofs."""

from infra.transparency.checkpoints import Checkpoint, checkpoint_at, checkpoint_of
from infra.transparency.leaves import event_leaf
from infra.transparency.merkle import (
    HASH_BYTES,
    GrowingTree,
    consistency_path,
    inclusion_path,
    is_consistent,
    is_included,
    root_hash,
)
from infra.transparency.notes import (
    NoteError,
    Signer,
    Verifier,
    read_signer,
    text_of,
    verifier_of,
    write_keys,
)

__all__ = [
    "HASH_BYTES",
    "Checkpoint",
    "GrowingTree",
    "NoteError",
    "Signer",
    "Verifier",
    "checkpoint_at",
    "checkpoint_of",
    "consistency_path",
    "event_leaf",
    "inclusion_path",
    "is_consistent",
    "is_included",
    "read_signer",
    "root_hash",
    "text_of",
    "verifier_of",
    "write_keys",
]
