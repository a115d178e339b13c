"""The broker's jars, fetched by Maven once and kept in the user's cache."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
SETUP_SECONDS = 600.0


class KafkaUnavailable(Exception):
    """No broker can be had here; the message says what is missing."""


def jars() -> Path:
    """The folder with the broker's jars, fetched when it is not there yet."""
    match = re.search(r"<kafka.version>(.+?)</kafka.version>", POM.read_text("utf-8"))
    if match is None:
        raise KafkaUnavailable(f"{POM.name} names no kafka.version")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "caretally"
    target = cache / f"kafka-{match[1]}"
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "kafka.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _fetch_jars(target)
    return target


def _fetch_jars(target: Path) -> None:
    part = Path(tempfile.mkdtemp(dir=target.parent))
    command = [
        *("mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"),
        *(f"-DoutputDirectory={part}", "-DincludeScope=runtime"),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SETUP_SECONDS, check=False
        )
        if done.returncode:
            raise KafkaUnavailable(f"mvn could not fetch the broker: {done.stdout[-400:].strip()}")
        part.chmod(0o755)
        part.rename(target)
    except subprocess.TimeoutExpired as error:
        raise KafkaUnavailable(f"mvn took over {SETUP_SECONDS:.0f} s") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
