"""Who can get in over HTTP, and what of the way there others could read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, urlsplit

from infra.addresses import is_loopback
from infra.settings import Settings
from services.doctor.finding import Finding, ok, warn

VERIFIED: Final = ("verify-ca", "verify-full")


def examine(settings: Settings) -> Iterator[Finding]:
    """What is set up, and what it leaves open."""
    yield _ways(settings)
    yield from _wires(settings)


def _ways(settings: Settings) -> Finding:
    if settings.http_address is None:
        return ok("access", "HTTP is off")
    if settings.opens_to_everybody:
        said = "until somebody has an account everybody on this machine is let in"
        return ok("access", f"loopback only: {said}")
    found = ["service tokens"]
    if settings.oidc_issuer:
        found.append(f"people of {settings.oidc_issuer}")
    if settings.takes_passwords:
        found.append("local accounts")
    return ok("access", f"lets in {', '.join(found)}")


def _wires(settings: Settings) -> Iterator[Finding]:
    """Each way over the network that is not known to be private."""
    if not settings.is_local and not settings.is_https:
        advice = "set http_certfile and http_keyfile, or http_url behind a reverse proxy with TLS"
        yield warn("access", "tokens and patients' data go over HTTP in the clear", advice)
    if not settings.is_local and not settings.host_names:
        advice = "set http_url, or http_names"
        yield warn("access", "requests under any host name are answered", advice)
    if (finding := _database(settings.database)) is not None:
        yield finding
    if settings.kafka and not settings.kafka_security_protocol.endswith("SSL"):
        hosts = [server.rpartition(":")[0].strip("[]") for server in settings.kafka.split(",")]
        if not all(map(is_loopback, hosts)):
            advice = "set kafka_security_protocol to SASL_SSL, or SSL with a client certificate"
            yield warn("kafka", "messages about patients go over the network in the clear", advice)


def _database(url: str) -> Finding | None:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = (query.get("host") or [parts.hostname or ""])[-1]
    if parts.scheme == "sqlite" or not host or host.startswith("/") or is_loopback(host):
        return None
    mode = (query.get("sslmode") or ["prefer"])[-1]
    if mode in VERIFIED:
        return None
    advice = "add ?sslmode=verify-full&sslrootcert=FILE to CARETALLY_DATABASE"
    said = f"sslmode is {mode}: whoever is on the way to {host} could read and answer"
    return warn("database", said, advice)
