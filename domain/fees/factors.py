"""Conversion factors that ship with the product, 2015-2026, by date of service."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.fees.figures import ConversionFactor

CITATION = "CMS Physician Fee Schedule final rules and relative value files, 2015-2026"


def _factor(first: str, last: str, value: str, qp: bool | None = None) -> ConversionFactor:
    return ConversionFactor(date.fromisoformat(first), date.fromisoformat(last), Decimal(value), qp)


FACTORS: tuple[ConversionFactor, ...] = (
    # 2015: the Medicare Access and CHIP Reauthorization Act raised it from July on.
    _factor("2015-01-01", "2015-06-30", "35.7547"),
    _factor("2015-07-01", "2015-12-31", "35.9335"),
    _factor("2016-01-01", "2016-12-31", "35.8043"),
    _factor("2017-01-01", "2017-12-31", "35.8887"),
    _factor("2018-01-01", "2018-12-31", "35.9996"),
    _factor("2019-01-01", "2019-12-31", "36.0391"),
    _factor("2020-01-01", "2020-12-31", "36.0896"),
    _factor("2021-01-01", "2021-12-31", "34.8931"),
    _factor("2022-01-01", "2022-12-31", "34.6062"),
    _factor("2023-01-01", "2023-12-31", "33.8872"),
    # 2024: the Consolidated Appropriations Act, 2024 raised it from 9 March on.
    _factor("2024-01-01", "2024-03-08", "32.7442"),
    _factor("2024-03-09", "2024-12-31", "33.2875"),
    _factor("2025-01-01", "2025-12-31", "32.3465"),
    # From 2026 on qualifying APM participants (QP) have their own factor.
    _factor("2026-01-01", "2026-12-31", "33.4009", qp=False),
    _factor("2026-01-01", "2026-12-31", "33.5675", qp=True),
)
