"""Official files of a test, read or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.fees.rvus import RVUS
from infra.feefiles import FeeFile, FeeFileError, ReadOptions, read_fee_files
from tests.feefiles import (
    SMALL,
)

OPTIONS = ReadOptions(least=SMALL)
AMOUNTS = {
    "99213": ("90.88", "66.00"),
    "99490": ("60.49", "47.87"),
    "99491": ("82.16", "72.46"),
    "71046/26": ("9.00", "9.00"),
}


def one(path: Path, options: ReadOptions = OPTIONS) -> FeeFile:
    (fees,) = read_fee_files(path, options)
    return fees


def refused(path: Path, options: ReadOptions = OPTIONS) -> FeeFileError:
    with pytest.raises(FeeFileError) as caught:
        read_fee_files(path, options)
    return caught.value


def read_or_refused(path: Path) -> list[FeeFile] | str:
    try:
        return read_fee_files(path, OPTIONS)
    except FeeFileError as error:
        return str(error)


def built_in_2025(*codes: str) -> set[object]:
    return {rvu for rvu in RVUS if rvu.first_day.year == 2025 and rvu.code in codes}
