"""Who may come in, by settings: unsafe combinations are refused at start, by name and reason."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from infra.settings import Settings
from services.doctor.access import examine
from tests.notify.test_outbound_tls import certificate
from tests.services.command import START
from tests.services.serving import clean, serving

TOKEN = "0123456789abcdef"
OUTSIDE = {"http": "0.0.0.0:8080"}
PROVIDER = {"oidc_issuer": "https://idp.example", "oidc_client_id": "caretally"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (OUTSIDE, "can be reached from other machines"),
        ({"http": "192.0.2.1:80"}, "can be reached from other machines"),
        ({"http": "[::]:80"}, "can be reached from other machines"),
        (OUTSIDE | PROVIDER, "http_url: people sign in"),
        (OUTSIDE | {"http_auth": "accounts"}, "http_url: people sign in"),
        ({"http_certfile": "a.pem"}, "both http_certfile and http_keyfile"),
        ({"oidc_issuer": "https://idp.example"}, "oidc_client_id: expected"),
        ({"oidc_issuer": "http://idp.example", "oidc_client_id": "x"}, "expected https://HOST"),
        ({"http_url": "http://care.example"}, "expected https://HOST"),
        ({"http_url": "https://u:p@care.example"}, "expected https://HOST"),
        ({"http_url": "care.example"}, "expected https://HOST"),
        ({"http_token": "short"}, "at least 16 characters"),
        ({"http_auth": "none"}, "'auto', 'tokens' or 'accounts'"),
    ],
)
def test_what_is_unsafe_is_refused(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match="1 validation error") as refused:
        Settings(**given)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        OUTSIDE | {"http_token": TOKEN},
        OUTSIDE | {"http_auth": "tokens"},
        OUTSIDE | {"http_auth": "accounts", "http_url": "https://care.example"},
        OUTSIDE | {"http_auth": "accounts", "http_url": "http://localhost:8080"},
        OUTSIDE | PROVIDER | {"http_certfile": "a.pem", "http_keyfile": "b.pem"},
        PROVIDER,
        {"oidc_issuer": "http://localhost:9000/realms/x", "oidc_client_id": "x"},
        {"http": "off"},
    ],
)
def test_what_is_safe_is_taken(given: dict[str, Any]) -> None:
    Settings(**given)


@pytest.mark.parametrize(
    ("given", "everybody", "passwords"),
    [
        ({}, True, True),
        ({"http": "[::1]:0"}, True, True),
        ({"http_token": TOKEN}, False, True),
        (PROVIDER, False, False),
        (PROVIDER | {"http_auth": "accounts"}, False, True),
        ({"http_auth": "tokens"}, False, False),
        ({"http_auth": "accounts"}, False, True),
        (OUTSIDE | {"http_token": TOKEN}, False, False),
    ],
)
def test_the_ways_in(given: dict[str, Any], everybody: bool, passwords: bool) -> None:
    settings = Settings(**given)
    assert (settings.opens_to_everybody, settings.takes_passwords) == (everybody, passwords)


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({}, set()),
        ({"database": "postgresql://u@db.example/care"}, {"database"}),
        ({"database": "postgresql://u@db.example/care?sslmode=require"}, {"database"}),
        ({"database": "postgresql://u@db.example/care?sslmode=verify-full"}, set()),
        ({"database": "postgresql://u@127.0.0.1/care"}, set()),
        ({"database": "postgresql:///care?host=/run/postgresql"}, set()),
        ({"kafka": "b1.example:9092"}, {"kafka"}),
        ({"kafka": "127.0.0.1:9092,[::1]:9092"}, set()),
        ({"kafka": "b1.example:9093", "kafka_security_protocol": "SSL"}, set()),
        (OUTSIDE | {"http_token": TOKEN}, {"access"}),
        (OUTSIDE | {"http_token": TOKEN, "http_url": "https://care.example"}, set()),
    ],
)
def test_the_doctor_says_what_others_could_read(given: dict[str, Any], warned: set[str]) -> None:
    found = list(examine(Settings(**given)))
    assert {finding.check for finding in found if finding.state == "warn"} == warned
    assert all(finding.advice for finding in found if finding.state == "warn")


def test_http_over_tls_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    key, made = certificate(tmp_path, "localhost")
    environment = {
        "CARETALLY_DATABASE": f"sqlite:///{tmp_path}/care.db",
        "CARETALLY_HTTP": "127.0.0.1:0",
        "CARETALLY_HTTP_CERTFILE": str(made),
        "CARETALLY_HTTP_KEYFILE": str(key),
        "CARETALLY_HTTP_AUTH": "accounts",
    }
    trusted = ssl.create_default_context(cafile=str(made))
    with serving(environment) as service:
        base = service.base().replace("127.0.0.1", "localhost")
        assert base.startswith("https://")
        with httpx.Client(base_url=base, verify=trusted, trust_env=False) as client:
            page = client.get("/auth/sign-in")
            assert (page.status_code, 'type="password"' in page.text) == (200, True)
            assert "strict-transport-security" in page.headers
        with pytest.raises(httpx.HTTPError):
            httpx.get(base.replace("https", "http"), trust_env=False)


def test_a_certificate_that_cannot_be_used_is_refused_at_start(tmp_path: Path) -> None:
    key, _ = certificate(tmp_path, "localhost")
    for name in ("missing.pem", key.name):
        environment = {
            "CARETALLY_DATABASE": f"sqlite:///{tmp_path}/care.db",
            "CARETALLY_HTTP": "127.0.0.1:0",
            "CARETALLY_HTTP_CERTFILE": str(tmp_path / name),
            "CARETALLY_HTTP_KEYFILE": str(key),
        }
        ran = subprocess.run(
            [*START, "serve"], env=clean(environment), capture_output=True, timeout=60, check=False
        )
        assert ran.returncode == 2
        assert b"http_certfile, http_keyfile: cannot be used" in ran.stderr
