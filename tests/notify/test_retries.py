"""What an endpoint's answer leads to."""

from __future__ import annotations

import pytest

from infra.outbound import Answer
from projections.deliveries import DeliveryState
from services.notify.retries import JITTER, SECOND_US, WAITS_SECONDS, Verdict, verdict

NOW = 1_750_000_000 * SECOND_US  # 2025-06-15T15:06:40Z


def judged(status: int, attempts: int = 1, retry_after: str = "", chance: float = 0.0) -> Verdict:
    return verdict(Answer(status, retry_after), attempts, NOW, lambda: chance)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_success_is_the_end(status: int) -> None:
    assert judged(status) == Verdict(DeliveryState.DELIVERED, 1, None)


@pytest.mark.parametrize("status", [0, 301, 307, 400, 404, 500, 503])
def test_anything_else_is_tried_again_by_the_schedule(status: int) -> None:
    """5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; the tenth failure is the last."""
    waits = [judged(status, attempts).next_at_us for attempts in range(1, 10)]
    assert [(at or 0) - NOW for at in waits] == [w * SECOND_US for w in WAITS_SECONDS]
    assert judged(status, 10) == Verdict(DeliveryState.FAILED, 10, None)


def test_chance_lengthens_a_wait_by_up_to_a_fifth() -> None:
    assert judged(500, 2, chance=1.0).next_at_us == NOW + int(300 * (1 + JITTER) * SECOND_US)


def test_gone_is_gone_and_costs_the_delivery_no_attempt() -> None:
    assert judged(410, 3) == Verdict(DeliveryState.PENDING, 2, NOW, gone=True)


def test_an_endpoint_that_says_when_is_left_alone_until_then() -> None:
    rested = judged(429, 1, "120")
    assert rested == Verdict(DeliveryState.PENDING, 0, NOW + 120_000_000, NOW + 120_000_000)
    out = judged(503, 1, "120")
    assert (out.attempts, out.next_at_us, out.hold_until_us) == (
        1,
        NOW + 120_000_000,
        NOW + 120_000_000,
    )


def test_a_rest_may_be_given_as_a_date_and_is_a_day_at_most() -> None:
    assert judged(429, 1, "Sun, 15 Jun 2025 15:07:40 GMT").hold_until_us == NOW + 60_000_000
    assert judged(429, 1, "999999999").hold_until_us == NOW + 86_400_000_000
    assert judged(503, 1, "Sun, 15 Jun 2025 15:00:00 GMT").hold_until_us == 0


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "٣"])
def test_a_rest_that_says_nothing_is_a_plain_failure(text: str) -> None:
    found = judged(429, 1, text)
    assert (found.attempts, found.next_at_us, found.hold_until_us) == (1, NOW + 5_000_000, 0)


def test_a_plain_failure_is_not_told_when() -> None:
    assert judged(404, 1, "3600").hold_until_us == 0
