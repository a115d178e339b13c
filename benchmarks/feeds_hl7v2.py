"""HL7 v2 messages to events, beside what python-hl7 takes to parse them alone.

`python -m benchmarks.feeds_hl7v2`. Admissions, discharges, problems and charges of synthetic
patients, each with a control id and a time of its own, and with some of the segments that senders
put around what we read. Ours is the whole way: bytes to checked events that are
ready to be folded, the site profile applied, what earlier messages said looked up. Theirs takes the
same bytes apart and stops there. Batches are as large as a door takes them. Messages come in four
sizes, for what we do hardly grows with what is around, and what they do does.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.processor import measured
from infra.eventstore import open_store
from infra.eventstore.translated import open_translations
from services.bootstrap import calm_collector
from services.ingest import Delivery
from services.translate.feeds import Feeds
from services.translate.hl7v2.feed import Hl7Feed
from services.translate.marks import HL7V2, marked
from services.translate.site import Site

RESULTS = Path(__file__).parent / "results" / "feeds_hl7v2.json"
BATCH = 500
BAR = 5.0
"""How many times as fast as parsing alone the whole translation must be."""
SITE = Site(
    name="bench",
    source="https://ehr.example/hl7",
    practice="p1",
    timezone="America/New_York",
    hl7v2={  # type: ignore[arg-type]
        "senders": ["EHR|RIVER"],
        "patient": {"authority": "RIVER", "type": "MR", "subject": "id"},
    },
)
AROUND = (
    "PD1|||RIVER FAMILY MEDICINE^^4711|1000000004^DOE^JAMES^^^^^^NPI||||N||02|N|20240101",
    "PV2||REG^Regular||||||20250301080000|20250304|3||||||||||N||AI|Y|20250301||||N",
    "NK1|1|DOE^JOHN^^^^^L|SPO^Spouse^HL70063|99 OAKLAND^^SPRINGFIELD^OH^44889|(626)555-0100",
    "AL1|1|DA|1605^Acetaminophen^L|MO|Rash~Itching",
    "DG1|1||I10^Essential hypertension^I10C||20250301|A|||||||||1|1000000004^DOE^JAMES^^^^^^NPI",
    "DG1|2||E11.9^Type 2 diabetes^I10C||20250301|A|||||||||2|1000000004^DOE^JAMES^^^^^^NPI",
    "OBX|1|NM|8480-6^Systolic blood pressure^LN||138|mm[Hg]|90-120|H|||F|||20250301081500",
    "GT1|1||DOE^JANE^Q||99 OAKLAND^^SPRINGFIELD^OH^44889|(626)555-0101||19500101|F|P|SEL",
    "IN1|1|MEDICARE^Medicare^L|MCR|CMS^^L|||||||20240101|||MC|DOE^JANE^^^^^L|SEL|19500101",
)
"""What senders put around the segments that we read."""


SIZES = (4, 6, 8, 4 + len(AROUND))
"""Segments of a message: those that we read, and so many around."""


def messages(count: int, segments: int = SIZES[-1]) -> list[bytes]:
    """So many messages of so many segments that each give at least one event."""
    return [_one(number, AROUND[: segments - 4]) for number in range(count)]


def _one(number: int, around: Sequence[str]) -> bytes:
    day, second = number // 2000 % 28 + 1, number % 60
    at = f"202503{day:02d}{number // 3600 % 24:02d}{number // 60 % 60:02d}{second:02d}-0500"
    kind = ("ADT^A01^ADT_A01", "ADT^A03^ADT_A03", "PPR^PC1^PPR_PC1", "DFT^P03^DFT_P03")[number % 4]
    head = f"MSH|^~\\&|EHR|RIVER|CCM|CARE|{at}||{kind}|m{number}|P|2.5.1||||||UNICODE UTF-8"
    patient = (
        f"PID|1||p{number % 200}^^^RIVER^MR~999-00-{number % 200:04d}^^^USSSA^SS||DOE^JANE^Q||"
        "19500101|F||2106-3^White^HL70005|99 OAKLAND^^SPRINGFIELD^OH^44889||(626)555-0101||en|M|CAT"
    )
    visit = f"PV1|1|I|6N^1234^A^RIVER||||1000000004^DOE^JAMES^^^^^^NPI|||MED|||||||||v{number}"
    visit += "|" * 25 + "20250301080000|" + ("20250304120000" if number % 4 == 1 else "")
    own = (
        visit,
        visit,
        f"PRB|AD|20250301|E11.9^Type 2 diabetes^I10C|{number}^EHR|||20250301|||||||active",
        f"FT1|1|c{number}||20250302||CG|99496^x^C4|||1||||||||||1000000012^ROE^R^^^^^^NPI|||||99496",
    )[number % 4]
    return "\r".join([head, f"EVN||{at}", patient, own, *around, ""]).encode()


def ours(values: Sequence[bytes]) -> int:
    """How many messages the whole translation makes events of."""
    store = open_store("memory:")
    feeds = Feeds(open_translations(store), Hl7Feed({SITE.name: SITE}))
    headers = marked(SITE.name, form=HL7V2)
    taken = 0
    for start in range(0, len(values), BATCH):
        batch = values[start : start + BATCH]
        opened = feeds.open([Delivery(value, None, headers, "bench:0") for value in batch])
        taken += len({item.piece for item in opened.incoming})
    store.close()
    return taken


def theirs(values: Sequence[bytes]) -> int:
    """How many messages python-hl7 takes apart."""
    import hl7

    return sum(len(hl7.parse(value)) > 0 for value in values)


def main() -> None:
    """Measure in alternating rounds, print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="where our time goes")
    options = parser.parse_args()
    values = {segments: messages(options.messages, segments) for segments in SIZES}
    calm_collector()
    if options.profile:
        profile = cProfile.Profile()
        profile.runcall(ours, values[SIZES[-1]])
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        return
    best = {(side, segments): float("inf") for segments in SIZES for side in (ours, theirs)}
    for _ in range(options.rounds):
        for side, segments in best:
            seconds = measured(side, values[segments])
            best[side, segments] = min(best[side, segments], seconds)
    _report(
        {segments: (best[ours, segments], best[theirs, segments]) for segments in SIZES}, values
    )


def _report(best: Mapping[int, tuple[float, float]], values: Mapping[int, Sequence[bytes]]) -> None:
    print("segments   bytes   read and translate    python-hl7   times   at least 5")
    results = []
    for segments, seconds in best.items():
        count, ratio = len(values[segments]), seconds[1] / seconds[0]
        each, others = (1e6 * side / count for side in seconds)
        size = sum(map(len, values[segments])) // count
        print(
            f"{segments:8}{size:8}{each:18.1f} us{others:11.1f} us{ratio:8.1f}"
            f"   {'yes' if ratio >= BAR else 'no'}"
        )
        us = {"read and translate": round(each, 1), "python-hl7": round(others, 1)}
        results.append({"segments": segments, "us_each": us, "ratio": round(ratio, 1)})
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
