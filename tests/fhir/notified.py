"""Notifications as servers of three releases send them."""

from __future__ import annotations

from typing import Any

from tests.fhir.made import BASE

SUBSCRIPTION = f"{BASE}/Subscription/s1"
AT = "2025-03-10T18:00:00Z"


def r4(
    type: str, count: int, numbers: list[int] | None = None, focus: list[str] | None = None
) -> dict[str, Any]:
    """The status of the R4 Backport: Parameters, counters as strings."""
    parameters: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": SUBSCRIPTION}},
        {"name": "topic", "valueCanonical": "https://ehr.example/topics/patient-data-feed"},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": type},
        {"name": "events-since-subscription-start", "valueString": str(count)},
    ]
    for number, what in zip(numbers or [], focus or [""] * len(numbers or []), strict=True):
        part: list[dict[str, Any]] = [
            {"name": "event-number", "valueString": str(number)},
            {"name": "timestamp", "valueInstant": AT},
        ]
        if what:
            part.append({"name": "focus", "valueReference": {"reference": what}})
        parameters.append({"name": "notification-event", "part": part})
    return {"resourceType": "Parameters", "parameter": parameters}


def r5(
    type: str, count: int, numbers: list[int] | None = None, focus: list[str] | None = None
) -> dict[str, Any]:
    """The status of R4B and R5: SubscriptionStatus."""
    events: list[dict[str, Any]] = []
    for number, what in zip(numbers or [], focus or [""] * len(numbers or []), strict=True):
        event: dict[str, Any] = {"eventNumber": str(number), "timestamp": AT}
        events.append(event | ({"focus": {"reference": what}} if what else {}))
    return {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": type,
        "eventsSinceSubscriptionStart": str(count),
        "subscription": {"reference": SUBSCRIPTION},
        **({"notificationEvent": events} if events else {}),
    }


STATUS = {"r4": (r4, "history"), "r4b": (r5, "history"), "r5": (r5, "subscription-notification")}


def notification(
    release: str,
    type: str,
    count: int,
    numbers: list[int] | None = None,
    focus: list[str] | None = None,
    resources: list[dict[str, Any]] | None = None,
    at: str = AT,
) -> dict[str, Any]:
    """A whole notification bundle; `resources` come along, other foci are named alone."""
    status, kind = STATUS[release]
    request = {"method": "GET", "url": SUBSCRIPTION}
    entries: list[dict[str, Any]] = [{"resource": status(type, count, numbers, focus)}]
    entries[0]["request"] = request
    for resource in resources or []:
        url = f"{resource['resourceType']}/{resource['id']}"
        entry = {"fullUrl": f"{BASE}/{url}", "resource": resource}
        entries.append(entry | {"request": {"method": "PUT", "url": url}})
    brought = {entry.get("fullUrl", "").removeprefix(f"{BASE}/") for entry in entries}
    for what in focus or []:
        if what and what not in brought:
            only = {"fullUrl": f"{BASE}/{what}", "request": {"method": "GET", "url": what}}
            entries.append(only)
    return {"resourceType": "Bundle", "type": kind, "timestamp": at, "entry": entries}
