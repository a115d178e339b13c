"""Whether the log, or one patient's part of it, is what was written and sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.eventstore.accesses import AccessEnd, AccessLog, next_hash
from infra.eventstore.transparency import LogTree
from infra.transparency import (
    Checkpoint,
    NoteError,
    event_leaf,
    inclusion_path,
    is_included,
)
from projections.ports import Store
from services.audit.chains import Chains
from services.audit.faults import Fault, FaultKind, Findings
from services.audit.notary import Notary
from services.audit.scanning import Moved, Scan, Sourced


@dataclass(frozen=True, slots=True)
class NamedNote:
    """A checkpoint's note and where it came from, for people."""

    source: str
    note: str


def verify_log(
    store: Store,
    notary: Notary,
    outside: Sequence[NamedNote] = (),
    moved: Moved = lambda _events: None,
) -> Findings:
    """Look at every event, every checkpoint kept here or given from `outside`, every access.

    What it finds is in the findings; what the database itself raises comes through.
    """
    findings, tree = Findings(), LogTree(store)
    found = _checkpoints(tree, notary, outside, findings)
    Scan(store, tree, findings, found).run(moved)
    _verify_accesses(store, found, findings)
    return findings


def verify_stream(
    store: Store, notary: Notary, stream_id: str, outside: Sequence[NamedNote] = ()
) -> Findings:
    """Look at one patient's events: their chain, its end, and each one's place under the greatest
    checkpoint."""
    findings, tree = Findings(), LogTree(store)
    found = _checkpoints(tree, notary, outside, findings)
    events = store.load([stream_id])[stream_id].events
    chains = Chains(findings)
    for event in events:
        chains.follow(event)
    chains.finish(tree.ends(stream_id), ())
    findings.events = len(events)
    if not found:
        return findings
    source, checkpoint = found[-1]
    subtrees = tree.subtrees()
    sealed = [event for event in events if event.position <= checkpoint.size]
    for event in sealed:
        index, leaf = event.position - 1, event_leaf(event)
        try:
            path = inclusion_path(index, checkpoint.size, subtrees)
        except LookupError:
            path = []
        if not is_included(leaf, index, checkpoint.size, path, checkpoint.root):
            sentence = f"it is not the event that {source} has at this position"
            place = (event.stream_id, event.version, event.position)
            findings.add(Fault(FaultKind.CHANGED, sentence, *place))
    if len(sealed) < len(events):
        later = len(events) - len(sealed)
        findings.notes.append(f"{later} events are younger than the last checkpoint")
    return findings


def _checkpoints(
    tree: LogTree, notary: Notary, outside: Sequence[NamedNote], findings: Findings
) -> list[Sourced]:
    """All checkpoints that can be believed, by size."""
    kept = [NamedNote(f"checkpoint {n.number}", n.note) for n in tree.checkpoints()]
    found: list[Sourced] = []
    seen: set[str] = set()
    for named in (*kept, *outside):
        if named.note in seen:
            continue
        seen.add(named.note)
        try:
            found.append((named.source, notary.open(named.note)))
        except NoteError as error:
            findings.add(Fault(FaultKind.CHECKPOINT, f"{named.source}: {error}"))
    findings.checkpoints = len(found)
    if not found:
        findings.notes.append(
            "there is no checkpoint: whoever can write the whole database can write its hashes too"
        )
    elif not notary.knows_keys:
        findings.notes.append("no public key was given: signatures were not checked")
    return sorted(found, key=lambda pair: pair[1].size)


def _verify_accesses(store: Store, checkpoints: Sequence[Sourced], findings: Findings) -> None:
    """Recompute the access log's hashes and compare them with the checkpoints'."""
    wanted: dict[int, list[tuple[str, Checkpoint]]] = {}
    for source, checkpoint in checkpoints:
        wanted.setdefault(checkpoint.accesses, []).append((source, checkpoint))
    end = AccessEnd(0, b"")
    _compare_end(end, wanted, findings)
    for row in AccessLog(store).rows():
        if row.number != end.size + 1:
            sentence = f"access {end.size + 1} is missing before {row.number}"
            findings.add(Fault(FaultKind.ACCESS_LOG, sentence))
        elif row.hash != next_hash(end.head, row.body):
            sentence = f"access {row.number} is not what was written, or the one before is not"
            findings.add(Fault(FaultKind.ACCESS_LOG, sentence))
        end = AccessEnd(row.number, row.hash)
        findings.accesses += 1
        _compare_end(end, wanted, findings)
    for count, missing in wanted.items():
        for source, _ in missing if count > end.size else ():
            sentence = f"{source}: it has {count} accesses, the access log ends at {end.size}"
            findings.add(Fault(FaultKind.ACCESS_LOG, sentence))


def _compare_end(
    end: AccessEnd, wanted: dict[int, list[tuple[str, Checkpoint]]], findings: Findings
) -> None:
    for source, checkpoint in wanted.get(end.size, ()):
        if checkpoint.access_head != end.head:
            sentence = f"{source}: access {end.size} has another hash"
            findings.add(Fault(FaultKind.ACCESS_LOG, sentence))
