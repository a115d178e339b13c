"""A practice on the server of others: its profile, its subscription, its patient's month.

The server stamps what it is given with its own clock, and a threshold is approached in a month
that goes on: so the month is this one, whichever it is, and the work lies in its first hour.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fhir import made
from tests.sekmet import Sekmet

ZONE = ZoneInfo("America/New_York")
MRN = "urn:oid:1.2.3.4.5.1"
CLIENT = "caretally-test"
TOPIC = "https://ehr.example/topics/everything"
KINDS = ("Patient", "EpisodeOfCare", "CareTeam", "Consent", "Condition", "CarePlan", "Encounter",
         "Task")  # fmt: skip
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPICS = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
PROFILE = """
name = "river"
source = "{base}"
practice = "p1"
timezone = "America/New_York"
[patients]
subject = "identifier"
system = "urn:oid:1.2.3.4.5.1"
[[practitioners]]
npi = "1000000004"
credential = "MD"
references = ["Practitioner/md1"]
[[staff]]
id = "rn1"
role = "clinical_staff"
references = ["Practitioner/rn1"]
[enrolment]
types = ["https://ehr.example/codes|ccm"]
[consents.codes]
"https://ehr.example/codes|ccm-consent" = "written"
[conditions]
chronic = ["http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"]
[time.tasks]
"https://ehr.example/codes|ccm-call" = {{ activity = "phone_call" }}
[visits]
discussed = ["https://ehr.example/codes|ccm-talk"]
[visits.codes]
"http://snomed.info/sct|185345009" = "99214"
[pull]
token_url = "{root}/auth/token"
client_id = "caretally-test"
key_file = "{key}"
queries = [{queries}]
subscriptions = ["Subscription/{subscription}"]
"""


def month() -> date:
    """The first day of the patient's month."""
    return datetime.now(ZONE).date().replace(day=1)


def keys(folder: Path) -> tuple[Path, Path]:
    """A key pair in PEM: the private part for us, the public one for the server."""
    key = rsa.generate_private_key(65537, 2048)
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    private, public = folder / "key.pem", folder / "key.pub.pem"
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(pem, form))
    return private, public


def profile(server: Sekmet, key: Path, subscription: str) -> str:
    queries = ", ".join(f'"{kind}?_lastUpdated=ge{{since}}"' for kind in KINDS)
    given = {"base": server.base, "root": server.root, "key": key, "subscription": subscription}
    return PROFILE.format(**given, queries=queries)


def topic() -> dict[str, Any]:
    """A topic that fires at every creation and every update, in the form of the Backport."""
    triggers = [
        {
            "url": f"{TOPICS}.resourceTrigger",
            "extension": [
                {"url": "resource", "valueUri": f"http://hl7.org/fhir/StructureDefinition/{kind}"},
                {"url": "supportedInteraction", "valueCode": "create"},
                {"url": "supportedInteraction", "valueCode": "update"},
            ],
        }
        for kind in KINDS
    ]
    url = {"url": f"{TOPICS}.url", "valueUri": TOPIC}
    code = made.coded("http://hl7.org/fhir/fhir-types", "SubscriptionTopic")
    status = [{"url": f"{TOPICS}.status", "valueCode": "active"}]
    return {
        "resourceType": "Basic",
        "id": "topic-everything",
        "modifierExtension": status,
        "extension": [url, *triggers],
        "code": code,
    }


def subscription(id: str, endpoint: str, token: str, content: str) -> dict[str, Any]:
    """`content` is full-resource, id-only or empty."""
    payload = {"url": f"{BACKPORT}/backport-payload-content", "valueCode": content}
    return {
        "resourceType": "Subscription",
        "id": id,
        "meta": {"profile": [f"{BACKPORT}/backport-subscription"]},
        "status": "requested",
        "reason": "care management",
        "criteria": TOPIC,
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "header": [f"Authorization: Bearer {token}"],
            "payload": "application/fhir+json",
            "_payload": {"extension": [payload]},
        },
    }


def chart() -> list[dict[str, Any]]:
    """Everything but time that a month needs, and a team, which says nothing."""
    first = month().isoformat()
    number = {"system": MRN, "value": "M1"}
    visit = {"start": f"{first}T10:00:00-05:00", "end": f"{first}T10:20:00-05:00"}
    found = [
        {"resourceType": "Patient", "id": "pt1", "identifier": [number]},
        made.episode(period={"start": first}),
        made.visit(period=visit),
        made.consent(dateTime=first),
        made.condition("I10"),
        made.condition("E11.9"),
        made.care_plan(period={"start": first}),
        {"resourceType": "CareTeam", "id": "team", "subject": made.to_patient()},
    ]
    return [{name: value for name, value in each.items() if name != "meta"} for each in found]


def call(id: str, minutes: int, minute: int, **changes: Any) -> dict[str, Any]:
    """A completed Task of so many minutes, from this minute after the month began."""
    start = datetime.combine(month(), time(0, minute), ZONE)
    end = start + timedelta(minutes=minutes)
    period = {"start": start.isoformat(), "end": end.isoformat()}
    found = made.task(id, executionPeriod=period, **changes)
    del found["meta"]
    return found
