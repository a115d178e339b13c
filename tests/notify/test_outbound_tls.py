"""TLS of webhooks: the certificate is checked against the name, though the connection goes to an
address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.outbound import Outbound
from tests.receiver import receiver


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Files of a key and of a certificate for a name or address, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.mark.parametrize(
    ("host", "trusted", "status"),
    [("pager.example", True, 204), ("other.example", True, 0), ("pager.example", False, 0)],
)
async def test_only_the_named_endpoint_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, status: int
) -> None:
    """Its name in the certificate, and an authority that the machine trusts."""
    key, made = certificate(tmp_path, "pager.example")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(made))

    async def lookup(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    with receiver(ssl_keyfile=str(key), ssl_certfile=str(made)) as endpoint:
        outbound = Outbound(allow_private=True, lookup=lookup)
        answer = await outbound.post(f"https://{host}:{endpoint.port}/in", {}, b"{}")
        await outbound.close()
        assert answer.status == status
        assert len(endpoint.got) == (1 if status else 0)
    if not status:
        assert answer.fault == "ConnectError"
