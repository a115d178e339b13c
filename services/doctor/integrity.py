"""Whether the log is what was written, by the walk that `caretally audit verify` takes too.

Here without checkpoints and keys: what a doctor has at hand is the log and what lies beside it.
"""

from __future__ import annotations

from infra.eventstore.transparency import LogTree
from projections.ports import Store
from services.audit.chains import Chains
from services.audit.faults import Fault, Findings
from services.audit.scanning import Moved, Scan

SAMPLE_PATIENTS = 200


def scan(store: Store, moved: Moved) -> Findings:
    """Examine the whole log as it is now; `moved` hears how many events were."""
    findings = Findings()
    Scan(store, LogTree(store), findings, ()).run(moved)
    return findings


def sample(store: Store, moved: Moved) -> Findings:
    """Examine the histories of some patients, evenly spread; `moved` hears of how many."""
    findings, tree = Findings(), LogTree(store)
    streams = sorted(store.versions())
    chosen = streams[:: max(1, len(streams) // SAMPLE_PATIENTS)][:SAMPLE_PATIENTS]
    for number, stream in enumerate(chosen, start=1):
        ends, chains = tree.ends(stream), Chains(findings)
        history = store.load([stream])[stream].events
        for event in history:
            chains.follow(event)
        chains.finish(ends, ())
        findings.events += len(history)
        moved(number)
    findings.patients = len(chosen)
    return findings


def sample_size(patients: int) -> int:
    """How many patients a sample examines."""
    return min(patients, SAMPLE_PATIENTS)


def told(findings: Findings) -> str:
    """The first fault in a sentence that names no patient, and how many there are."""
    first = next(iter(findings))
    more = f"; {findings.count - 1} more faults" if findings.count > 1 else ""
    return f"{_place(first)}{first.sentence}{more}"


def _place(fault: Fault) -> str:
    if fault.position:
        return f"the event at position {fault.position} (version {fault.version} of its patient): "
    return f"version {fault.version} of a patient: " if fault.version else ""
