"""FHIR Encounters to events, beside what `fhir.resources` takes to parse them alone.

`python -m benchmarks.feeds_fhir`. The Encounters are those of the synthetic patients in
`tests/data/fhir`, each again and again under a new id, as a server that dates its versions would
send them in 2025. Ours is the whole translation: bytes to checked events that are ready to be
folded, the site profile applied, earlier versions looked up. Theirs reads the same bytes into a
model and stops there. Batches are as large as a door takes them.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processor import measured
from infra.eventstore import open_store
from infra.eventstore.translated import open_translations
from services.bootstrap import calm_collector
from services.ingest import Delivery
from services.translate.feed import FhirFeed
from services.translate.feeds import Feeds
from services.translate.marks import marked
from services.translate.site import Site

RESULTS = Path(__file__).parent / "results" / "feeds_fhir.json"
DATA = Path(__file__).parents[1] / "tests" / "data" / "fhir"
BATCH = 500
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SNOMED = "http://snomed.info/sct"
SITE = Site(
    name="bench",
    source="https://ehr.example/fhir",
    practice="p1",
    timezone="America/New_York",
    patients={"subject": "id"},  # type: ignore[arg-type]
    time={  # type: ignore[arg-type]
        "encounters": {f"{ACT}|AMB": {"activity": "phone_call"}},
        "default_role": "clinical_staff",
    },
)


def encounters(count: int, whole: bool) -> list[bytes]:
    """So many Encounters, each with an id, a version and a time of its own; `whole` with all that
    servers send by US Core, else with what a mapping needs."""
    lines = (DATA / "one_patient.ndjson").read_text("utf-8").splitlines()
    entries = json.loads((DATA / "another_patient.json").read_text("utf-8"))["entry"]
    found = [json.loads(line) for line in lines] + [entry["resource"] for entry in entries]
    kept = [each for each in found if each["resourceType"] == "Encounter"]
    kept = [each for each in kept if each["class"]["code"] == "AMB"]
    return [_one(kept[number % len(kept)], number, whole) for number in range(count)]


def full(encounter: dict[str, Any]) -> dict[str, Any]:
    """The Encounter with what servers send beside that by US Core: numbers, names, a place."""
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    code = {"system": system, "code": "PPRF", "display": "primary performer"}
    number = {"use": "official", "system": "https://ehr.example/visits", "value": encounter["id"]}
    who = encounter["participant"][0]["individual"] | {"display": "Dr. Ada Example"}
    first = {
        "type": [{"coding": [code], "text": "primary performer"}],
        "period": encounter["period"],
        "individual": who,
    }
    place = {"reference": "Location/l1", "display": "RIVER CLINIC"}
    profile = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"
    return encounter | {
        "meta": encounter["meta"] | {"profile": [profile]},
        "identifier": [number],
        "subject": encounter["subject"] | {"display": "Eve Example"},
        "participant": [first],
        "location": [{"location": place, "status": "completed"}],
        "serviceProvider": {"reference": "Organization/o1", "display": "RIVER CLINIC"},
    }


def _one(encounter: dict[str, Any], number: int, whole: bool) -> bytes:
    month, hour, minute = number % 12 + 1, number // 12 % 24, number // 288 % 30
    start = f"2025-{month:02d}-05T{hour:02d}:{minute:02d}:00-05:00"
    end = f"2025-{month:02d}-05T{hour:02d}:{minute + 15:02d}:30-05:00"
    changed = {
        "id": f"e{number}",
        "meta": {"versionId": "1", "lastUpdated": f"2025-12-30T10:00:00.{number % 1000:03d}Z"},
        "subject": {"reference": f"Patient/p{number % 200}"},
        "participant": [{"individual": {"reference": f"Practitioner/n{number % 20}"}}],
        "period": {"start": start, "end": end},
    }
    found = {**encounter, **changed}
    return json.dumps(full(found) if whole else found, separators=(",", ":")).encode()


def ours(values: Sequence[bytes]) -> int:
    """How many events the whole translation gives."""
    store = open_store("memory:")
    feed = Feeds(open_translations(store), FhirFeed({SITE.name: SITE}))
    headers = marked(SITE.name)
    events = 0
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        opened = feed.open([Delivery(value, None, headers, "bench:0") for value in batch])
        events += len(opened.incoming)
    store.close()
    return events


def theirs(values: Sequence[bytes]) -> int:
    """How many models `fhir.resources` makes."""
    from fhir.resources.R4B.encounter import Encounter

    return sum(Encounter.model_validate_json(value) is not None for value in values)


def main() -> None:
    """Measure in alternating rounds, print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encounters", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where our time goes")
    options = parser.parse_args()
    calm_collector()
    if options.profile:
        _profile(encounters(options.encounters, whole=True))
        return
    results: dict[str, Any] = {}
    for shape, whole in (("US Core", True), ("bare", False)):
        values = encounters(options.encounters, whole)
        best = {"translate": float("inf"), "fhir.resources": float("inf")}
        for _ in range(options.rounds):
            best["translate"] = min(best["translate"], measured(ours, values))
            best["fhir.resources"] = min(best["fhir.resources"], measured(theirs, values))
        results[shape] = _report(shape, best, values)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def _report(shape: str, best: dict[str, float], values: Sequence[bytes]) -> dict[str, Any]:
    ratio = best["fhir.resources"] / best["translate"]
    size = sum(map(len, values)) // len(values)
    print(f"{shape}, {size} bytes".ljust(22) + f"{'Encounters/s':>14}{'us each':>9}")
    for name, seconds in best.items():
        print(f"{name:22}{len(values) / seconds:>14,.0f}{seconds / len(values) * 1e6:>9.1f}")
    print(f"bytes to events is {ratio:.1f} times as fast as parsing alone\n")
    each = {name: round(seconds / len(values) * 1e6, 1) for name, seconds in best.items()}
    return {"us_each": each, "ratio": round(ratio, 1)}


def _profile(values: Sequence[bytes]) -> None:
    profile = cProfile.Profile()
    profile.runcall(ours, values)
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
