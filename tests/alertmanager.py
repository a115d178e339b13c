"""A real Alertmanager for the tests that need one: the machine's, else Debian's package, unpacked
into the user's cache."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

PACKAGE = "prometheus-alertmanager"
BINARIES = (PACKAGE, "alertmanager")


class AlertmanagerUnavailable(Exception):
    """There is no binary and none can be had."""


def unavailable(reason: str) -> NoReturn:
    """Skip with one clear line, or fail where services are required."""
    if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
        pytest.fail(f"Alertmanager is required and cannot be had: {reason}")
    pytest.skip(f"no Alertmanager (set CARETALLY_TEST_ALERTMANAGER to a binary): {reason}")


def binary() -> Path:
    """The path of an Alertmanager. Raises AlertmanagerUnavailable."""
    named = os.environ.get("CARETALLY_TEST_ALERTMANAGER")
    for name in (named,) if named else BINARIES:
        if found := shutil.which(name):
            return Path(found)
    if named:
        raise AlertmanagerUnavailable(f"{named} is not there")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "caretally"
    found_in_cache = cache / PACKAGE / "usr" / "bin" / PACKAGE
    return found_in_cache if found_in_cache.exists() else _unpacked(cache)


def _unpacked(cache: Path) -> Path:
    """Debian's package, downloaded by apt-get and unpacked without being installed."""
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise AlertmanagerUnavailable("neither the binary nor apt-get is installed")
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="alertmanager-", dir=cache))
    try:
        try:
            _run(["apt-get", "download", PACKAGE], folder)
        except subprocess.CalledProcessError:  # no list of packages yet
            _run(["apt-get", "update"], folder)
            _run(["apt-get", "download", PACKAGE], folder)
        (package,) = folder.glob(f"{PACKAGE}_*.deb")
        _run(["dpkg", "-x", str(package), "unpacked"], folder)
        target = cache / PACKAGE
        if not target.exists():
            (folder / "unpacked").rename(target)
        return target / "usr" / "bin" / PACKAGE
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise AlertmanagerUnavailable(f"{PACKAGE} cannot be downloaded: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, check=True, timeout=180, cwd=folder, capture_output=True)


def _with_share(executable: Path) -> list[str]:
    """The command of a binary; an unpacked one sees the package's own files as the machine's.

    Debian's binary reads its templates at a fixed place below /usr/share.
    """
    share = executable.parents[1] / "share"
    if share == Path("/usr/share") or not (share / "prometheus").exists():
        return [str(executable)]
    script = 'mount --bind "$1" /usr/share && shift && exec "$@"'
    return ["unshare", "-rm", "sh", "-c", script, "sh", str(share), str(executable)]


class Alertmanager:
    """A process of its own that notifies `webhook` almost at once; may be killed and restarted."""

    def __init__(self, executable: Path, folder: Path, webhook: str) -> None:
        self._folder, self._executable = folder, executable
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "am.yml").write_text(
            "route:\n  receiver: hook\n  group_by: ['...']\n  group_wait: 100ms\n"
            "  group_interval: 300ms\n  repeat_interval: 24h\n"
            f"receivers:\n- name: hook\n  webhook_configs:\n  - url: {webhook}\n"
        )
        self._process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        command = [
            *_with_share(self._executable),
            f"--config.file={self._folder}/am.yml",
            f"--storage.path={self._folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        log = self._folder / "am.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        end = time.monotonic() + 20
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/-/ready", trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        self.kill()
        last = log.read_text().strip().rpartition("\n")[2]
        raise AlertmanagerUnavailable(f"it does not become ready: {last[:300]}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def alerts(self) -> list[dict[str, object]]:
        """What stands in it."""
        found: list[dict[str, object]] = httpx.get(
            f"{self.url}/api/v2/alerts", trust_env=False
        ).json()
        return found


def started(folder: Path, webhook: str) -> Iterator[Alertmanager]:
    """An Alertmanager for one test."""
    try:
        running = Alertmanager(binary(), folder, webhook)
    except (AlertmanagerUnavailable, OSError) as error:
        unavailable(str(error))
    try:
        yield running
    finally:
        running.kill()
