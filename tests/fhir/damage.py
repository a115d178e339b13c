"""Good FHIR damaged in every way: values, structure, bytes. The same seed damages the same way."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from tests.fhir import made
from tests.fhir.foreign_inputs import DATA, inputs_of
from tests.fhir.mapped import R5_CONSENT, call, claim, patient, procedure, stay
from tests.fhir.notified import notification

EVENT = "event-notification"
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**63, -(2**70), 0.5, 1e30, 1e-9, "", " ", "\0", "é", "💊"),
    *("2025", "2025-03", "2025-13-01", "2025-03-05", "0001-01-01", "9999-12-31T23:59:59-14:00"),
    *("2025-03-05T10:00:00Z", "2025-03-05T10:00:00.5Z", "2025-03-05T24:00:00Z", "2010-01-01"),
    *("2025-03-05T10:00:60Z", "2025-03-05t10:00:00z", "2025-03-05T10:00:00+24:00", "now"),
    *("completed", "finished", "entered-in-error", "active", "unknown", "in-progress", "min", "s"),
    *("Task/t1", "Patient/pt1", "#p", "urn:uuid:x", f"{made.BASE}/Patient/1", "Practitioner/rn1"),
    *(f"{made.BASE}/Practitioner/rn1/_history/3", "Practitioner?identifier=a|b", "x" * 300),
    *([], {}, [[]], [None], [{}], {"coding": []}, {"coding": [None, {"code": 1}]}, {"start": []}),
    *({"value": 20, "code": "min"}, {"value": -5, "code": "h"}, {"value": 1e9, "unit": "s"}),
    *({"reference": 5}, {"reference": "Practitioner/rn1"}, {"identifier": {"system": "s"}}),
    *({"resourceType": "Bundle"}, {"resourceType": "Task"}, {"concept": {"coding": [{}]}}),
)
PIECES: tuple[bytes, ...] = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\0", b"\xff", b"\xc3", b"null", b"1e999"),
    *(b"\\u0000", b"\\ud800", b'"id":', b"\xef\xbb\xbf", b"\n", b"[[[[[[[[", b"-"),
)
NAMES = (
    *("actualPeriod", "period", "subject", "for", "class", "type", "code", "participant", "actor"),
    *("individual", "length", "status", "id", "meta"),
)


def corpus() -> list[dict[str, Any]]:
    """What is damaged: our samples of every kind, notifications, and the official examples."""
    ours = [made.task(), call(), made.visit(), stay(), made.episode(), made.consent()]
    ours += [made.condition(), made.care_plan(), procedure(), claim(), made.consent(**R5_CONSENT)]
    ours += [patient(deceasedDateTime="2025-03-04"), call(length={"value": 15, "code": "min"})]
    focus, brought = ["Task/t1", "Encounter/v1"], [made.task()]
    for release in ("r4", "r4b", "r5"):
        ours.append(notification(release, EVENT, 2, [1, 2], focus, brought))
        ours.append(notification(release, "heartbeat", 3))
    entries = [{"resource": made.visit()}, {"resource": made.task()}]
    ours.append({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    theirs = [
        each for name in ("r4", "r4b", "r5") for each in inputs_of(DATA / f"hl7_{name}.ndjson.gz")
    ]
    return ours * 12 + [json.loads(each.value) for each in theirs if len(each.value) < 6_000]


def anew(document: Any, number: int) -> None:
    """Another id for each resource, so that it is no repetition of an earlier one."""
    entries = [each.get("resource", {}) for each in document.get("entry", [])]
    for resource in entries or [document]:
        if "id" in resource:
            resource["id"] = f"n{number}"


class Damage:
    """Makes damaged messages, without end."""

    def __init__(self, seed: int) -> None:
        self._rng, self._number = random.Random(seed), 0
        self._corpus = corpus()
        self._ways: tuple[Callable[[Any], None], ...] = (
            *(self._replace,) * 6,
            *(self._remove, self._double, self._swap, self._rename, self._borrow, self._retime),
        )

    def message(self) -> bytes:
        """One message: damaged as values, as bytes, or both; a few are left whole."""
        rng = self._rng
        document = copy.deepcopy(rng.choice(self._corpus))
        self._number += 1
        if rng.random() < 0.8:
            anew(document, self._number)
        if rng.random() < 0.95:
            for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
                rng.choice(self._ways)(document)
        raw = json.dumps(document, ensure_ascii=rng.random() < 0.5).encode("utf-8", "replace")
        return self._bytes(raw) if rng.random() < 0.15 else raw

    def _place(self, document: Any) -> tuple[Any, Any] | None:
        """A container inside and one of its keys, drawn by walking down at random."""
        inner, found = document, None
        while isinstance(inner, dict | list) and inner:
            key = self._rng.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            found = (inner, key)
            if self._rng.random() < 0.3:
                break
            inner = inner[key]
        return found

    def _replace(self, document: Any) -> None:
        if place := self._place(document):
            place[0][place[1]] = copy.deepcopy(self._rng.choice(JUNK))

    def _remove(self, document: Any) -> None:
        if place := self._place(document):
            del place[0][place[1]]

    def _double(self, document: Any) -> None:
        """One value becomes a list, a list becomes its first value."""
        if place := self._place(document):
            value = place[0][place[1]]
            one = value[0] if isinstance(value, list) and value else [value, copy.deepcopy(value)]
            place[0][place[1]] = one

    def _swap(self, document: Any) -> None:
        one, other = self._place(document), self._place(document)
        if one and other:
            kept = copy.deepcopy(other[0][other[1]])
            other[0][other[1]] = copy.deepcopy(one[0][one[1]])
            if one[0] is not other[0]:
                one[0][one[1]] = kept

    def _rename(self, document: Any) -> None:
        place = self._place(document)
        if place and isinstance(place[0], dict):
            other = self._rng.choice(NAMES)
            place[0][other] = place[0].pop(place[1])

    def _borrow(self, document: Any) -> None:
        """A member of another resource."""
        other = self._rng.choice(self._corpus)
        name = self._rng.choice(list(other))
        if isinstance(document, dict):
            document[name] = copy.deepcopy(other[name])

    def _retime(self, document: Any) -> None:
        """Some time of the period moves, or is written in another form."""
        for name in ("period", "actualPeriod", "executionPeriod"):
            period = document.get(name) if isinstance(document, dict) else None
            if isinstance(period, dict) and period:
                key = self._rng.choice(list(period))
                text = str(period[key])
                cut = self._rng.randrange(len(text) + 1)
                forms = [text[:cut], text.replace("0", "9", 1), text + "Z", text[:-6] + "Z"]
                form = self._rng.choice([*forms, text.replace(":00-", ":00.25-")])
                period[key] = form

    def _bytes(self, raw: bytes) -> bytes:
        rng, found = self._rng, bytearray(raw)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(len(found) + 1)
            way = rng.randrange(4)
            if way == 0:
                found[at : at + 1] = bytes([rng.randrange(256)])
            elif way == 1:
                del found[at : at + rng.choice((1, 2, 10, 200))]
            elif way == 2:
                found[at:at] = rng.choice(PIECES)
            else:
                found = found[:at] + found[rng.randrange(len(found) + 1) :]
        return bytes(found)
