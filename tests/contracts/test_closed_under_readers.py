"""A store is closed under readers: what runs is waited for, what comes later is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

UNDER_READERS = """
import sys, threading, time
from eventsourcing.persistence import ConnectionPoolClosedError
from infra.eventstore.sqlite_recorder import CareDatastore

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "
COUNT += "SELECT count(*) FROM n"
datastore, seen, begun = CareDatastore(sys.argv[1]), [], threading.Barrier(5)

def read():
    begun.wait()
    while True:
        try:
            with datastore.transaction(commit=False) as c:
                c.execute(COUNT)
                seen.append(c.fetchone()[0])
        except ConnectionPoolClosedError:
            return

readers = [threading.Thread(target=read) for _ in range(4)]
for reader in readers:
    reader.start()
begun.wait()
time.sleep(0.1)
datastore.close()
for reader in readers:
    reader.join(20)
assert not any(reader.is_alive() for reader in readers)
assert set(seen) == {300000}
print("closed")
"""


def test_a_file_is_closed_under_readers_without_a_crash(tmp_path: Path) -> None:
    """SQLite ends the whole process when a connection is closed under a running statement."""
    for round_number in range(3):
        command = [sys.executable, "-c", UNDER_READERS, str(tmp_path / f"{round_number}.db")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "closed\n"), done.stderr[-2000:]
