"""A site that sends HL7 v2, messages of it, and an ingest core that knows it."""

from __future__ import annotations

import json
from typing import Any

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore.translated import open_translations
from projections.ports import DeadLetter, Store
from services.ingest import Delivery, Ingest, Outcome
from services.translate.feed import FhirFeed
from services.translate.feeds import Feeds
from services.translate.hl7v2.feed import Hl7Feed
from services.translate.marks import HL7V2, marked
from services.translate.site import Site

NOW_US = 1_742_000_000_000_000
NPI, OTHER_NPI = "1000000004", "1000000012"
SOURCE = "https://ehr.example/fhir"

HL7: dict[str, Any] = {
    "senders": ["EHR|RIVER"],
    "patient": {"authority": "RIVER", "type": "MR", "subject": "id"},
    "visits": {"codes": {"PV1-18|AWV": "G0439", "PV1-2|O": "99214"}},
    "stays": {"codes": {"PV1-10|SNF": "snf_part_a", "PV1-2|I": "inpatient"}},
    "conditions": {
        "systems": ["I10C", "I10"],
        "icd10": {"SNM|38341003": "I10"},
        "chronic": ["PRB-12|C"],
    },
    "charges": {
        "time": {
            "FT1-7|CCMMIN": {"activity": "phone_call", "unit_seconds": 60},
            "FT1-7|CCMCLOCK": {"activity": "phone_call"},
        }
    },
    "documents": {
        "TXA-2|CP": {"care_plan": "established"},
        "TXA-2|CC": {"consent": "written"},
    },
}
PROFILE: dict[str, Any] = {
    "name": "river",
    "source": SOURCE,
    "practice": "p1",
    "timezone": "America/New_York",
    "practitioners": [{"npi": NPI, "credential": "MD", "references": ["RIVER|77"]}],
    "staff": [{"id": "rn1", "role": "clinical_staff", "references": ["RIVER|9"]}],
    "hl7v2": HL7,
}


def site(**changes: Any) -> Site:
    """The profile with other members of `[hl7v2]` in place of its own."""
    return Site(**{**PROFILE, "hl7v2": {**HL7, **changes}})


def msh(
    kind: str = "ADT^A01", control: str = "1", at: str = "20250310170000-0500", **more: str
) -> str:
    charset = more.get("charset", "")
    mode = more.get("mode", "P")
    return f"MSH|^~\\&|EHR|RIVER|CCM|CARE|{at}||{kind}|{control}|{mode}|2.5.1||||||{charset}"


def pid(patient: str = "pt1", died: str = "", dead: str = "") -> str:
    fields = [""] * 31
    fields[0], fields[3], fields[5] = "PID", f"{patient}^^^RIVER^MR", "DOE^JANE"
    fields[29], fields[30] = died, dead
    return "|".join(fields)


def pv1(
    visit: str = "v1",
    kind: str = "I",
    admitted: str = "20250301080000",
    discharged: str = "",
    **more: str,
) -> str:
    fields = [""] * 46
    fields[0], fields[2] = "PV1", kind
    fields[7] = more.get("attending", f"{NPI}^DOE^J^^^^^^NPI")
    fields[10], fields[18], fields[19] = more.get("service", ""), more.get("type", ""), visit
    fields[36], fields[44], fields[45] = more.get("disposition", ""), admitted, discharged
    return "|".join(fields)


def prb(action: str = "AD", number: str = "5", code: str = "I10^x^I10C", **more: str) -> str:
    fields = [""] * 17
    fields[0], fields[1], fields[2] = "PRB", action, "20250310"
    fields[3], fields[4] = code, number
    for name, field in (("ended", 9), ("persistence", 12), ("confirmed", 13), ("status", 14)):
        fields[field] = more.get(name, "")
    fields[15], fields[16] = more.get("since", ""), more.get("onset", "")
    return "|".join(fields)


def ft1(
    number: str = "c1", code: str = "", procedure: str = "99496", kind: str = "CG", **more: str
) -> str:
    fields = [""] * 26
    fields[0], fields[1], fields[2] = "FT1", "1", number
    fields[4], fields[6], fields[7] = more.get("on", "20250305"), kind, code
    fields[10] = more.get("quantity", "1")
    fields[20] = more.get("by", f"{OTHER_NPI}^ROE^R^^^^^^NPI")
    fields[25] = procedure
    return "|".join(fields)


def txa(kind: str = "CP", number: str = "d1", on: str = "20250102", status: str = "AU") -> str:
    fields = [""] * 23
    fields[0], fields[1], fields[2], fields[4] = "TXA", "1", kind, on
    fields[12], fields[17], fields[22] = number, status, f"{NPI}^DOE^J^^^^^^NPI"
    return "|".join(fields)


def er7(*segments: str) -> bytes:
    return ("\r".join(segments) + "\r").encode()


def adt(event: str, *segments: str, control: str = "1", at: str = "20250310170000-0500") -> bytes:
    """An ADT message about `pt1` and `v1`, unless the segments say otherwise."""
    given = {each[:3] for each in segments}
    first = [] if "PID" in given else [pid()]
    last = [] if "PV1" in given else [pv1()]
    return er7(msh(f"ADT^{event}", control, at), *first, *segments, *last)


def ppr(event: str, *segments: str, control: str = "1", at: str = "20250310170000-0500") -> bytes:
    return er7(msh(f"PPR^{event}", control, at), pid(), *segments)


def dft(*segments: str, control: str = "1", at: str = "20250310170000-0500") -> bytes:
    return er7(msh("DFT^P03", control, at), pid(), *segments)


def mdm(event: str, segment: str, control: str = "1", at: str = "20250310170000-0500") -> bytes:
    return er7(msh(f"MDM^{event}", control, at), pid(), segment)


def a40(stays: str, ends: str, control: str = "1", at: str = "20250310170000-0500") -> bytes:
    return er7(msh("ADT^A40^ADT_A39", control, at), pid(stays), f"MRG|{ends}^^^RIVER^MR")


def delivery(value: bytes | None, *more: tuple[str, bytes], place: int = 0) -> Delivery:
    return Delivery(value, None, marked("river", *more, form=HL7V2), f"test:{place}")


def time_of(hour: int, second: int = 0) -> str:
    """An MSH-7 of 10 March 2025."""
    return f"20250310{hour:02d}00{second:02d}-0500"


class Sent:
    """A store that is sent HL7 v2."""

    def __init__(self, store: Store, *sites: Site) -> None:
        self.store = store
        self.sites = {each.name: each for each in sites or (site(),)}
        feeds = Feeds(open_translations(store), FhirFeed(self.sites), Hl7Feed(self.sites))
        self.ingest = Ingest(store, lambda: NOW_US, BOOK, lambda _: Policy(), opener=feeds)

    def take(self, *messages: bytes | None, history: bool = False, **tracking: int) -> Outcome:
        """Take messages in one batch."""
        marks = (("caretally-history", b"true"),) if history else ()
        found = [delivery(value, *marks, place=n) for n, value in enumerate(messages)]
        return self.ingest.take(found, tracking)

    def native(self, *documents: dict[str, Any]) -> Outcome:
        """Take events of ours."""
        values = [json.dumps(each).encode() for each in documents]
        return self.ingest.take([Delivery(value, None, (), "test") for value in values])

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.store.assessments()]

    def letters(self) -> list[DeadLetter]:
        return [each for each in self.store.dead_letters() if each.replayed_at_us is None]

    def refusals(self) -> list[tuple[str, str]]:
        """Reason and field of everything in review."""
        return [(each.reason, each.field) for each in self.letters()]

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, id and data of everything in the log."""
        found = []
        for stored in self.store.log(0, 100_000):
            state = json.loads(stored.state)
            found.append((stored.name, state["id"], state["data"]))
        return found

    def standing(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of what is neither retracted nor voided, sorted."""
        gone = {data["event_id"] for name, _, data in self.events() if name == "event.retracted.v1"}
        dull = ("event.retracted.v1", "time.voided.v1")
        voided = {data["entry_id"] for name, _, data in self.events() if name == dull[1]}
        found = [
            (name, data)
            for name, id, data in self.events()
            if id not in gone and name not in dull and data.get("entry_id") not in voided
        ]
        return sorted(found, key=lambda each: (each[0], json.dumps(each[1], sort_keys=True)))
