"""Positions in the logs of databases: later ones are greater, as numbers and as texts."""

from __future__ import annotations

from typing import Any

import pytest

from services.changes.position import position_of

GROWING: dict[str, list[dict[str, Any]]] = {
    "postgresql": [{"lsn": 9}, {"lsn": 24_023_128}, {"lsn": "24023129"}, {"lsn": 2**63}],
    "mysql": [
        {"file": "mysql-bin.000003", "pos": 154, "row": 0},
        {"file": "mysql-bin.000003", "pos": 154, "row": 1},
        {"file": "mysql-bin.000003", "pos": 1_540, "row": 0},
        {"file": "mysql-bin.000010", "pos": 4, "row": None},
        {"file": "mysql-bin.1000000", "pos": 4},
    ],
    "sqlserver": [
        {"commit_lsn": "00000027:00000758:0005", "change_lsn": None},
        {"commit_lsn": "00000027:00000ac0:0002", "change_lsn": "00000027:00000ac0:0001"},
        {
            "commit_lsn": "00000027:00000ac0:0002",
            "change_lsn": "00000027:00000ac0:0001",
            "event_serial_no": "2",
        },
        {"commit_lsn": "00000028:00000001:0001", "change_lsn": "00000027:00000ad0:0001"},
    ],
    "oracle": [{"scn": "1513734"}, {"scn": "1513734", "ssn": 1}, {"scn": "11513734"}],
}


@pytest.mark.parametrize("connector", [*GROWING, "mariadb"])
def test_what_the_source_wrote_later_has_the_greater_position(connector: str) -> None:
    sources = GROWING.get(connector, GROWING["mysql"])
    found = [position_of({"connector": connector, **each}) for each in sources]
    assert all(each.isdigit() for each in found)
    assert found == sorted(set(found))
    assert [*map(int, found)] == sorted(map(int, found))
    assert len({*map(len, found)}) == 1


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"connector": "mongodb", "ord": 1},
        {"connector": "postgresql", "lsn": None},
        {"connector": "postgresql", "lsn": -1},
        {"connector": "postgresql", "lsn": "1" * 30},
        {"connector": "mysql", "file": "nothing", "pos": 4},
        {"connector": "mysql", "file": "b.000001", "pos": None},
        {"connector": "sqlserver", "commit_lsn": "27:1:5"},
        {"connector": "oracle", "scn": "1.5"},
        {"connector": ["postgresql"], "lsn": 5},
    ],
)
def test_nothing_is_made_up_where_the_source_says_none(source: dict[str, Any]) -> None:
    assert position_of(source) == ""
