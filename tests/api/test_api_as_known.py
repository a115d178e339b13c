"""As of any instant the API answers what it answered at that moment: months, reasons, histories."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.codec import instant_text
from infra.eventstore.sqlite import SQLiteStore
from tests.api.asked import Asked, asking
from tests.audit.growing import DAY_US, FIRST_US, GrowingLog
from tests.audit.test_as_known import lived_by
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

LOGS, INSTANTS = 6, 10
PATIENTS = (("p1", "a"), ("p2", "b"))
Shown = dict[str, bytes]


def shown(api: Asked, month: str, as_of: str | None = None) -> Shown:
    """Everything that tells of two patients, by address; without the instant in the answers."""
    asked = {} if as_of is None else {"as_of": as_of}
    found = {"": _pages(api, "/api/v1/assessments", asked, limit=3)}
    for practice, patient in PATIENTS:
        address = f"/api/v1/practices/{practice}/patients/{patient}"
        found[f"{patient} timeline"] = _answer(api, f"{address}/timeline", asked, limit="1000")
        for what in ("", "/explanation"):
            found[f"{patient}{what}"] = _answer(api, f"{address}/months/{month}{what}", asked)
    dated = b'"as_of":null' if as_of is None else b'"as_of":"%b"' % as_of.encode()
    return {name: body.replace(dated, b"") for name, body in found.items()}


def _pages(api: Asked, path: str, asked: dict[str, str], limit: int) -> bytes:
    pages = api.pages(path, limit=limit, **asked)
    return b"\n".join(page.content.rpartition(b',"next":')[0] for page in pages)


def _answer(api: Asked, path: str, asked: dict[str, str], **more: str) -> bytes:
    answer = api.get(path, **asked, **more)
    assert answer.status_code in (200, 404)
    return answer.content


@settings(max_examples=examples(LOGS), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.randoms(use_true_random=False))
def test_as_of_any_instant_everything_is_as_it_was_shown_then(
    scene: Scene, chance: random.Random
) -> None:
    """Before, between, at and after the commits; corrections and late facts in any order; the
    clock stands still where months in the programme would otherwise come in."""
    events = [*lived_by(scene, "a", "p1"), *lived_by(scene, "b", "p2")]
    chance.shuffle(events)
    month = chance.choice(scene.months)
    log = GrowingLog(SQLiteStore(":memory:"), scene.policy)
    with asking(log.parts, noted=False) as api:
        seen = [(0, shown(api, month))]
        now = FIRST_US
        while events:
            size = chance.randint(3, 12)
            batch, events = events[:size], events[size:]
            log.take(batch, now)
            seen.append((log.shown[-1][0], shown(api, month)))
            now += chance.choice((0, 1, 7, 1_000_000, chance.randint(1, DAY_US // 50)))
        for _ in range(INSTANTS):
            known = chance.choice(seen[1:])[0]
            at = known + chance.choice((-1, 0, 1, chance.randint(-(10**8), 10**8)))
            then = [what for when, what in seen if when <= at][-1]
            assert shown(api, month, instant_text(at)) == then
    log.store.close()
