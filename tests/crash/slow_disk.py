"""The command line on a slow disk: every sync of SQLite's takes as many seconds as a file says.

SLOW_DISK=/path/to/file python -m tests.crash.slow_disk serve --role ingest
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from services.cli.main import run
from tests.crash.disk import Operation, Shim

DELAY = "SLOW_DISK"


def main() -> None:
    delay = Path(os.environ[DELAY])

    def wait(operation: Operation) -> None:
        if operation.kind == "sync":
            time.sleep(float(delay.read_text()))

    Shim(wait).install()
    run()


if __name__ == "__main__":
    main()
