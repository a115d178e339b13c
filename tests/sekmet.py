"""`sekmet-fhir`, a FHIR server that others wrote, as a process: R4 with Backport subscriptions.

It lives in an environment of its own in the user's cache: its dependencies are not ours.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
import yaml

VERSION = "0.1.1"
PACKAGE = f"sekmet-fhir=={VERSION}"
WRITER = "token-of-the-test-that-writes"
START_SECONDS = 60.0


class SekmetUnavailable(Exception):
    """There is no such server and none can be had."""


def unavailable(reason: str) -> NoReturn:
    """Skip with one clear line, or fail where services are required."""
    if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
        pytest.fail(f"sekmet-fhir is required and cannot be had: {reason}")
    pytest.skip(f"no sekmet-fhir (set CARETALLY_TEST_SEKMET to a Python that has it): {reason}")


def interpreter() -> Path:
    """A Python with the server in it. Raises SekmetUnavailable."""
    if named := os.environ.get("CARETALLY_TEST_SEKMET"):
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "caretally"
    target = cache / f"sekmet-fhir-{VERSION}"
    return (target if target.exists() else _installed(cache, target)) / "bin" / "python"


def _installed(cache: Path, target: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sekmet-", dir=cache))
    try:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", PACKAGE])
        if not target.exists():
            folder.rename(target)
        return target
    except (OSError, subprocess.SubprocessError) as error:
        raise SekmetUnavailable(f"{PACKAGE} cannot be installed: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=300, capture_output=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class Sekmet:
    """The server. Whoever asks it is a SMART Backend Services client, or the test that writes."""

    def __init__(self, folder: Path, client_id: str, public_key: Path) -> None:
        """Raises SekmetUnavailable."""
        self._folder, self.port = folder, free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.base = f"{self.root}/fhir"
        client = {"client_id": client_id, "public_key_path": str(public_key)}
        settings = {
            "base_url": self.base,
            "data_dir": str(folder / "data"),
            "simulator": {"enabled": False},
            "subscriptions": {"retries": 1},
            "server_auth": {
                "types": ["bearer", "smart"],
                "tokens": [WRITER],
                "smart_clients": [client | {"scopes": "system/*.read"}],
            },
        }
        (folder / "data").mkdir(parents=True)
        (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
        self._process = self._started(interpreter())
        writes = {"authorization": f"Bearer {WRITER}", "content-type": "application/fhir+json"}
        self.client = httpx.Client(base_url=self.base, headers=writes, trust_env=False, timeout=30)

    def _started(self, python: Path) -> subprocess.Popen[bytes]:
        command = [str(python), "-m", "uvicorn", "--factory", "sekmet.main:app_factory"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"]
        settings = {"SEKMET_CONFIG": str(self._folder / "settings.yaml")}
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        with (self._folder / "log").open("ab") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, env=kept | settings, cwd=self._folder
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            try:
                if httpx.get(f"{self.base}/metadata", trust_env=False).status_code == 200:
                    return process
            except httpx.HTTPError:
                time.sleep(0.1)
        process.kill()
        last = (self._folder / "log").read_text().strip().rpartition("\n")[2]
        raise SekmetUnavailable(f"it does not become ready: {last[:300]}")

    def put(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Write a resource under its own id; what the server made of it."""
        answer = self.client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    def read(self, reference: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/{reference}").json()
        return found

    def stop(self) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()
