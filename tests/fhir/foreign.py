"""What becomes of FHIR that nobody here wrote: every input through the translator and ingest.

    python -m tests.fhir.foreign FOLDER|PACKAGE.tgz|FILE…

Counts what each ends as: events, recognised and ignored, in review with a reason, or refused as a
bad message. Ends with 1 where an input ends as nothing, as two of these, or with minutes that its
resource does not tell.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from domain.rejections import Rejection
from infra.eventstore import open_store
from services.ingest import Delivery
from services.ingest.opening import Opened
from services.translate.marks import marked
from services.translate.site import Site
from services.wire.decode import Accepted
from tests.fhir.foreign_inputs import DATA, Input, inputs_of
from tests.fhir.made import Fed
from tests.fhir.minutes import invented
from tests.synthea import ICD_OF_SNOMED

EVENTS, IGNORED, REVIEW, REFUSED = "events", "ignored", "review", "refused"
ENDS = (EVENTS, IGNORED, REVIEW, REFUSED)
PRACTITIONER = re.compile(
    rb'(?:"individual": *{"reference": *"(?=urn:)|(?=Practitioner/))'
    rb"(urn:uuid:[0-9a-f-]{36}|Practitioner/[A-Za-z0-9.-]{1,64})"
)
BAD_MESSAGE = frozenset({"not-fhir", "not-json", "too-large", "unknown-site"})


@dataclass(slots=True)
class Tally:
    """`ends` counts pieces by (kind, end), `why` by (kind, end, reason); `faults` are sentences."""

    inputs: int = 0
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    why: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    minutes: int = 0
    faults: list[str] = field(default_factory=list)

    def total(self, end: str) -> int:
        return sum(count for (_, found), count in self.ends.items() if found == end)


class Trial:
    """One ingest core for each release. What is tried stays, as with a real feed."""

    def __init__(self, practitioners: Iterable[str] = ()) -> None:
        """`practitioners` are references; all of them are one person with an NPI."""
        self.profile = tomllib.loads((DATA / "foreign.toml").read_text("utf-8"))
        biller = {"npi": "1000000004", "credential": "MD", "references": sorted(practitioners)}
        self.profile["practitioners"] = [biller]
        icd10 = {f"http://snomed.info/sct|{code}": icd for code, icd in ICD_OF_SNOMED.items()}
        self.profile["conditions"]["icd10"] |= icd10
        self._fed: dict[str, Fed] = {}
        self.tally = Tally()

    def fed(self, release: str) -> Fed:
        if release not in self._fed:
            source = f"http://example.org/FHIR/{release}"
            self._fed[release] = Fed(
                open_store("memory:"), Site(**self.profile | {"source": source})
            )
        return self._fed[release]

    def take(self, given: Input) -> None:
        """Put an input in, and count what became of each of its pieces."""
        fed = self.fed(given.release)
        delivery = Delivery(given.value, None, marked("foreign"), given.name)
        self.tally.inputs += 1
        try:
            opened = fed.feed.open([delivery])
            if len(opened.pieces) == 1:
                self._count(given, opened, fed.ingest.take([delivery]).results[0])
                return
            for piece in opened.pieces:
                self._count(given, fed.feed.open([piece]), fed.ingest.take([piece]).results[0])
            if fed.ingest.take([delivery]).accepted:
                self.tally.faults.append(
                    f"{given.name}: the whole gives other events than its parts"
                )
        except Exception as error:
            self.tally.faults.append(f"{given.name}: raised {type(error).__name__}: {error}")

    def _count(self, given: Input, opened: Opened, result: Rejection | None) -> None:
        piece = opened.pieces[0]
        kind = kind_of(piece.value)
        found = [item.accepted for item in opened.incoming]
        ends = {IGNORED: opened.ignored.total(), EVENTS: len(found) if result is None else 0}
        if result is not None:
            bad = result.reason.value in BAD_MESSAGE
            ends[REFUSED if bad else REVIEW] = 1
            if not result.sentence:
                self.tally.faults.append(f"{given.name}: no sentence for {result.reason}")
        which = [end for end, count in ends.items() if count]
        if len(which) != 1:
            self.tally.faults.append(f"{given.name}: {kind} ended as {which or 'nothing'}")
            return
        self.tally.ends[kind, which[0]] += 1
        for why in _reasons(opened, found, result):
            self.tally.why[kind, which[0], why] += 1
        if result is None:
            self._check_minutes(given, piece.value, found)

    def _check_minutes(self, given: Input, value: bytes | None, found: list[Accepted]) -> None:
        for accepted in found:
            if accepted.name in ("time.logged.v1", "time.amended.v1"):
                self.tally.minutes += 1
                data = msgspec.json.decode(accepted.data)
                if fault := invented(msgspec.json.decode(value or b"{}"), data, self.profile):
                    self.tally.faults.append(f"{given.name}: {fault}")


def _reasons(opened: Opened, found: list[Accepted], result: Rejection | None) -> Iterable[str]:
    if result is not None:
        return [result.reason.value]
    return [each.name for each in found] or list(opened.ignored)


def kind_of(value: bytes | None) -> str:
    """The resource's kind, as far as it can be read."""
    try:
        document = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "(no JSON)"
    kind = document.get("resourceType") if isinstance(document, dict) else None
    return kind if isinstance(kind, str) else "(none)"


def tried(path: Path) -> Tally:
    """Everything in a file, folder or package, put in once."""
    found = set().union(*(PRACTITIONER.findall(each.value) for each in inputs_of(path)))
    trial = Trial(reference.decode() for reference in found)
    for given in inputs_of(path):
        trial.take(given)
    return trial.tally


def main(paths: list[str]) -> int:
    faults = 0
    for path in map(Path, paths):
        tally = tried(path)
        print(told(path.name, tally))
        faults += len(tally.faults)
    return 1 if faults or not paths else 0


def told(name: str, tally: Tally) -> str:
    """The counts as text: one line a kind that is more than ignored by its kind, then the rest."""
    lines = [f"{name}: {tally.inputs} inputs, {sum(tally.ends.values())} resources and messages"]
    lines.append(", ".join(f"{end} {tally.total(end)}" for end in ENDS))
    lines.append(f"entries of time {tally.minutes}, faults {len(tally.faults)}")
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for (kind, end, why), count in sorted(tally.why.items()):
        if why != "kind-not-mapped":
            by_kind[kind].append(f"{end}/{why} {count}")
    lines += [f"  {kind}: {', '.join(found)}" for kind, found in by_kind.items()]
    return "\n".join([*lines, *(f"  FAULT {fault}" for fault in tally.faults), ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
