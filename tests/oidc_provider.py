"""A real OpenID Connect provider for the tests that need one: `oidc-provider` for Node, installed
into the user's cache, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urljoin

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

PACKAGE = "oidc-provider"
VERSION = "9.13.3"
SCRIPT = Path(__file__).parent / "oidc" / "provider.mjs"

CLIENT_ID = "caretally"
CLIENT_SECRET = "a secret of the tests alone: +/% and more"
BASE = "http://localhost:8080"


class ProviderUnavailable(Exception):
    """There is no node, or the package cannot be had."""


def unavailable(reason: str) -> NoReturn:
    """Skip with one clear line, or fail where services are required."""
    if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
        pytest.fail(f"an OpenID Connect provider is required and cannot be had: {reason}")
    pytest.skip(f"no OpenID Connect provider (install node 20 or later and npm): {reason}")


def installed() -> Path:
    """The folder that holds the package. Raises ProviderUnavailable."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise ProviderUnavailable("node and npm are not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "caretally"
    target = cache / f"{PACKAGE}-{VERSION}"
    if target.exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PACKAGE}-", dir=cache))
    try:
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        install = ["npm", "install", "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}"]
        subprocess.run(install, cwd=folder, check=True, timeout=180, capture_output=True)
        if not target.exists():
            folder.rename(target)
        return target
    except (OSError, subprocess.SubprocessError) as error:
        raise ProviderUnavailable(f"{PACKAGE} cannot be installed: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def signing_key(id: str) -> dict[str, Any]:
    """A new private key as a JWK."""
    key: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1())))
    return {**key, "kid": id, "use": "sig", "alg": "ES256"}


class RunningProvider:
    """The process. It may be stopped, and started at the same address with other keys."""

    def __init__(self, people: dict[str, dict[str, Any]], **client: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._given: dict[str, Any] = {
            "people": people,
            "jwks": {"keys": [signing_key("first")]},
            "inIdToken": True,
            "clients": [_client() | client],
        }
        self._process: subprocess.Popen[bytes]
        self.start()

    def start(self, **changed: Any) -> None:
        self._given |= changed
        folder = installed()
        script = folder / SCRIPT.name  # beside its node_modules, where node looks
        script.write_bytes(SCRIPT.read_bytes())
        command = ["node", str(script), str(self.port), json.dumps(self._given)]
        self._process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            try:
                httpx.get(f"{self.issuer}/jwks", trust_env=False)
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise ProviderUnavailable("it does not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def _client() -> dict[str, Any]:
    return {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{BASE}/auth/callback"],
        "post_logout_redirect_uris": [f"{BASE}/auth/signed-out"],
        "id_token_signed_response_alg": "ES256",
    }


def running(people: dict[str, dict[str, Any]], **client: Any) -> Iterator[RunningProvider]:
    """A provider for one test."""
    try:
        found = RunningProvider(people, **client)
    except (ProviderUnavailable, OSError) as error:
        unavailable(str(error))
    try:
        yield found
    finally:
        found.stop()


def through(browser: httpx.Client, address: str, name: str) -> str:
    """Sign in and agree on the provider's own pages, as a person does; where it leads back to."""
    answer = browser.get(address)
    for _ in range(12):
        place = answer.headers.get("location")
        if place is not None:
            address = urljoin(address, place)
            if address.startswith(BASE):
                return address
            answer = browser.get(address)
            continue
        action, fields = form_of(answer.text)
        if "login" in answer.text:
            fields |= {"login": name, "password": "any"}
        address = urljoin(address, action)
        answer = browser.post(address, data=fields)
    raise AssertionError(f"the provider leads nowhere: {answer.text[:500]}")


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """The action and the hidden fields of a page's form."""
    form = re.search(r'<form[^>]*action="([^"]+)"', page)
    assert form, page
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    return form[1].replace("&amp;", "&"), dict(hidden)
