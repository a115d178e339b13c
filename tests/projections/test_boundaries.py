"""Boundaries of local months: each is passed once, at the instant its own zone has it."""

from __future__ import annotations

from domain.facts import Boundary
from domain.policy import Policy
from projections.boundaries import Passed, boundaries_passed
from tests.given import instant

NY, TONGA = "America/New_York", "Pacific/Tongatapu"
RISK, OVER = Boundary.AT_RISK, Boundary.MONTH_OVER


def passed(zone: str, after: str, through: str, **policy: int) -> list[Passed]:
    chosen = Policy(**policy)  # type: ignore[arg-type]
    return boundaries_passed([("p1", zone)], lambda _: chosen, instant(after), instant(through))


def test_a_month_has_two_boundaries_at_local_midnights_across_a_change_of_clocks() -> None:
    assert passed(NY, "2025-03-02T00:00:00Z", "2025-04-20T00:00:00Z") == [
        Passed(instant("2025-03-27T00:00:00-04:00"), "p1", NY, "2025-03", RISK),
        Passed(instant("2025-04-01T00:00:00-04:00"), "p1", NY, "2025-03", OVER),
    ]
    assert [p.at for p in passed(NY, "2025-11-02T12:00:00Z", "2025-12-01T12:00:00Z")] == [
        instant("2025-11-26T00:00:00-05:00"),
        instant("2025-12-01T00:00:00-05:00"),
    ]


def test_far_zones_pass_them_a_day_before_or_after() -> None:
    assert [p.at for p in passed(TONGA, "2025-03-10T00:00:00Z", "2025-03-31T12:00:00Z")] == [
        instant("2025-03-27T00:00:00+13:00"),
        instant("2025-04-01T00:00:00+13:00"),
    ]


def test_the_span_is_open_before_and_closed_after() -> None:
    over = "2025-04-01T04:00:00Z"
    assert [p.boundary for p in passed(NY, "2025-03-31T00:00:00Z", over)] == [OVER]
    assert passed(NY, over, "2025-04-02T00:00:00Z") == []


def test_a_practice_chooses_the_days_and_none_at_all_means_never() -> None:
    wide = passed(NY, "2025-01-10T00:00:00Z", "2025-02-10T00:00:00Z", at_risk_days=31)
    assert [(p.month, p.boundary, p.at) for p in wide] == [
        ("2025-01", OVER, instant("2025-02-01T05:00:00Z")),
        ("2025-02", RISK, instant("2025-02-01T05:00:00Z")),
    ]
    none = passed(NY, "2025-01-10T00:00:00Z", "2025-03-10T00:00:00Z", at_risk_days=0)
    assert [p.boundary for p in none] == [OVER, OVER]


def test_after_a_long_standstill_all_are_there_in_order_of_time() -> None:
    many = boundaries_passed(
        [("p2", TONGA), ("p1", NY)],
        lambda practice: Policy(at_risk_days=5 if practice == "p1" else 3),
        instant("2024-12-15T00:00:00Z"),
        instant("2025-03-15T00:00:00Z"),
    )
    assert [p.at for p in many] == sorted(p.at for p in many)
    months = ["2024-12", "2025-01", "2025-02"]
    for zone in (NY, TONGA):
        found = [(p.month, p.boundary) for p in many if p.timezone == zone]
        assert found == [(m, b) for m in months for b in (RISK, OVER)]
