"""Importing fees: what was imported prices, accumulates, survives, and is never half there."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.assess.assessment import Payment
from domain.facts import CodeUnits
from domain.fees.schedule import BUILT_IN
from services.fees import (
    FeeFileError,
    ImportReport,
    StoredFeesError,
    import_files,
    list_imported,
    load_imported,
)
from tests.feefiles import (
    ADD_ON_2026,
    ROWS_2025,
    ROWS_2026,
    SMALL,
    STAFF_2025,
    STAFF_2026,
    VISIT,
    gpci_csv,
    pfall_txt,
    pprrvu_csv,
    write,
    write_zip,
)

ON_2026 = date(2026, 3, 2)
STAFF_40_MINUTES = (CodeUnits("99490", 1), CodeUnits("99439", 1))


def imported(store: Path, *paths: Path, qp: bool | None = None) -> ImportReport:
    return import_files(paths, qp=qp, least=SMALL, store_dir=store)


def plain_2026(folder: Path, name: str = "PPRRVU2026_Jan_nonQPP.csv") -> Path:
    return write(folder, name, pprrvu_csv(ROWS_2026, "33.4009", 2026, pricing="9"))


def test_without_imports_the_built_in_schedule_is_used(tmp_path: Path) -> None:
    assert load_imported(tmp_path / "nowhere").digest == BUILT_IN.digest
    assert list_imported(tmp_path / "nowhere") == ()


def test_an_import_prices_what_had_no_price_and_names_itself(tmp_path: Path) -> None:
    assert BUILT_IN.price(STAFF_40_MINUTES, ON_2026, credential="MD") is None
    (fees,) = imported(tmp_path, plain_2026(tmp_path)).imported
    assert fees.path == tmp_path / "fees" / f"2026-rvu-{fees.digest[:8]}.json"
    payment = load_imported(tmp_path).price(STAFF_40_MINUTES, ON_2026, credential="MD")
    # 1.98 and 1.51 RVUs x 33.4009, each rounded
    basis = f"cms-2026-national-nonfacility+{fees.digest[:8]}"
    assert payment == Payment(Decimal("66.13") + Decimal("50.44"), "USD", basis)


def test_figures_of_one_kind_of_practitioner_do_not_price_the_other(tmp_path: Path) -> None:
    imported(tmp_path, plain_2026(tmp_path))
    schedule = load_imported(tmp_path)
    assert schedule.price(STAFF_40_MINUTES, ON_2026, credential="MD", qp=True) is None


def test_a_whole_release_prices_both_kinds_nationally_and_by_locality(tmp_path: Path) -> None:
    release = {
        "PPRRVU2026_Jan_nonQPP.csv": pprrvu_csv(ROWS_2026, "33.4009", 2026, pricing="9"),
        "PPRRVU2026_Jan_QPP.csv": pprrvu_csv(ROWS_2026, "33.5675", 2026, pricing="1"),
        "GPCI2026.csv": gpci_csv(),
    }
    report = imported(tmp_path, write_zip(tmp_path, "rvu26a.zip", release))
    assert [(fees.kind, fees.qp) for fees in report.imported] == [
        ("rvu", True),
        ("rvu", False),
        ("gpci", None),
    ]
    digests = [fees.digest[:8] for fees in report.imported]
    schedule = load_imported(tmp_path)
    national = schedule.price(STAFF_40_MINUTES, ON_2026, credential="MD", qp=True)
    assert national == Payment(
        Decimal("66.46") + Decimal("50.69"),
        "USD",
        f"cms-2026-qp-national-nonfacility+{digests[0]}",
    )
    local = schedule.price(STAFF_40_MINUTES, ON_2026, credential="MD", locality="13202-01")
    # (1.065 + 0.91 x 1.166 + 0.07 x 1.656) and (0.7455 + 0.76 x 1.166 + 0.05 x 1.656), x 33.4009
    suffix = "+".join(sorted(digests[1:]))
    assert local == Payment(
        Decimal("74.88") + Decimal("57.26"), "USD", f"cms-2026-13202-01-nonfacility+{suffix}"
    )


def test_priced_amounts_come_before_the_formula(tmp_path: Path) -> None:
    path = write(tmp_path, "PFALL25A.txt", pfall_txt({"99490": ("58.00", "44.00")}))
    (fees,) = imported(tmp_path, path).imported
    assert (fees.codes, fees.localities) == (("99490",), 3)
    unit = load_imported(tmp_path).price(
        (CodeUnits("99490", 1),),
        date(2025, 5, 1),
        credential="NP",
        locality="13202-01",
        setting="facility",
    )
    assert unit is not None
    assert unit.amount == Decimal("37.40")


def test_imports_add_up_and_of_one_kind_and_period_the_newest_counts(tmp_path: Path) -> None:
    first = plain_2026(tmp_path, "first-nonQPP.csv")
    rows = (STAFF_2026, VISIT, VISIT)
    second = write(tmp_path, "second-nonQPP.csv", pprrvu_csv(rows, "33.4009", 2026, pricing="9"))
    other = write(tmp_path, "PPRRVU25.csv", pprrvu_csv(ROWS_2025))
    for path in (first, second, other):
        imported(tmp_path, path)
    assert [(fees.source, fees.superseded) for fees in list_imported(tmp_path)] == [
        ("first-nonQPP.csv", True),
        ("second-nonQPP.csv", False),
        ("PPRRVU25.csv", False),
    ]
    schedule = load_imported(tmp_path)
    assert schedule.price((CodeUnits("99439", 1),), ON_2026, credential="MD") is None
    assert schedule.price((CodeUnits("99490", 1),), ON_2026, credential="MD") is not None


def test_importing_an_older_file_again_makes_it_the_newest(tmp_path: Path) -> None:
    first = plain_2026(tmp_path, "first-nonQPP.csv")
    second = write(
        tmp_path,
        "second-nonQPP.csv",
        pprrvu_csv((STAFF_2026, VISIT, VISIT), "33.4009", 2026, pricing="9"),
    )
    for path in (first, second, first):
        imported(tmp_path, path)
    assert [(fees.source, fees.superseded) for fees in list_imported(tmp_path)] == [
        ("second-nonQPP.csv", True),
        ("first-nonQPP.csv", False),
    ]
    assert (
        load_imported(tmp_path).price((CodeUnits("99439", 1),), ON_2026, credential="MD")
        is not None
    )


def test_both_halves_of_a_year_with_two_factors_can_be_kept(tmp_path: Path) -> None:
    for name, factor in (("RVU24A.csv", "32.7442"), ("RVU24B.csv", "33.2875")):
        imported(tmp_path, write(tmp_path, name, pprrvu_csv(ROWS_2025, factor, 2024)))
    assert not any(fees.superseded for fees in list_imported(tmp_path))
    schedule = load_imported(tmp_path)
    amounts = [
        schedule.price((CodeUnits("99490", 1),), on, credential="MD")
        for on in (date(2024, 3, 8), date(2024, 3, 9))
    ]
    # 1.87 RVUs in this file
    assert [unit.amount for unit in amounts if unit] == [Decimal("61.23"), Decimal("62.25")]


def test_a_corrected_first_half_imported_last_gives_the_relative_values(tmp_path: Path) -> None:
    corrected = (replace(STAFF_2025, work="1.10", total_nonfacility="1.97", total_facility="1.58"),)
    for name, rows, factor in (
        ("RVU24A.csv", ROWS_2025, "32.7442"),
        ("RVU24B.csv", ROWS_2025, "33.2875"),
        ("RVU24AR.csv", (*corrected, VISIT, VISIT), "32.7442"),
    ):
        imported(tmp_path, write(tmp_path, name, pprrvu_csv(rows, factor, 2024)))
    unit = load_imported(tmp_path).price(
        (CodeUnits("99490", 1),), date(2024, 5, 1), credential="MD"
    )
    assert unit is not None
    assert unit.amount == Decimal("65.58")  # 1.97 x 33.2875


def test_the_same_imports_give_the_same_schedule_wherever_they_lie(tmp_path: Path) -> None:
    for place in ("a", "b"):
        imported(tmp_path / place, plain_2026(tmp_path))
    assert load_imported(tmp_path / "a").digest == load_imported(tmp_path / "b").digest


def test_one_bad_file_keeps_every_file_of_the_run_out(tmp_path: Path) -> None:
    bad = write(tmp_path, "GPCI2026.csv", gpci_csv().replace("1.166", "x"))
    with pytest.raises(FeeFileError, match="line 6"):
        imported(tmp_path, plain_2026(tmp_path), bad)
    assert list_imported(tmp_path) == ()


def test_a_failing_disk_leaves_neither_a_half_written_import_nor_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(tmp_path, write(tmp_path, "PPRRVU25.csv", pprrvu_csv()))
    before = sorted((tmp_path / "fees").iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        imported(tmp_path, plain_2026(tmp_path))
    assert sorted((tmp_path / "fees").iterdir()) == before


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"0.91"', '"0.92"', "digest"),
        ('"0.91"', '"x"', "cannot be read"),
        ('"0.91"', "0.91", "cannot be read"),
        ('"kind": "rvu"', '"kind": "other"', "cannot be read"),
        ("caretally-fees-1", "caretally-fees-9", "form"),
        ('"rvus"', '"values"', "cannot be read"),
        ("{", "", "cannot be read"),
    ],
)
def test_a_kept_import_that_was_changed_is_refused_by_name(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    (fees,) = imported(tmp_path, plain_2026(tmp_path)).imported
    text = fees.path.read_text()
    assert old in text
    fees.path.write_text(text.replace(old, new, 1))
    with pytest.raises(StoredFeesError, match=reason) as caught:
        load_imported(tmp_path)
    assert fees.path.name in str(caught.value)


def test_what_is_kept_says_where_it_is_from_and_holds_no_descriptor(tmp_path: Path) -> None:
    path = plain_2026(tmp_path)
    path.write_text(path.read_text().replace(",X,", ",a descriptor,"))
    (fees,) = imported(tmp_path, path).imported
    text = fees.path.read_text()
    kept = json.loads(text)
    assert kept["source"] == "PPRRVU2026_Jan_nonQPP.csv"
    assert len(kept["source_sha256"]) == 64
    assert "descriptor" not in text
    assert fees.missing_codes == ("99491", "99437", "99487", "99489", "G0506")
    assert ADD_ON_2026.code in fees.codes
