"""Certificates of an authority that nobody trusts but a test."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """An authority, and the context of a server that it vouches for."""

    pem: str
    server: ssl.SSLContext


def make_authority(
    folder: Path,
    *,
    names: tuple[str, ...] = ("localhost",),
    ends: timedelta = DAY,
) -> Authority:
    """A fresh authority with one server certificate for these names and 127.0.0.1, which is valid
    from two days ago until `ends` from now."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("a test's authority")
    is_ca = x509.BasicConstraints(True, None)
    ca = _sign(ca_name, ca_key.public_key(), ca_name, ca_key, is_ca, DAY)
    alternatives = x509.SubjectAlternativeName(
        [*(x509.DNSName(name) for name in names), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    certificate = _sign(_name(names[0]), key.public_key(), ca_name, ca_key, alternatives, ends)
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return Authority(ca.public_bytes(serialization.Encoding.PEM).decode(), context)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _sign(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
    ends: timedelta,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(public_key).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - 2 * DAY)
    builder = builder.not_valid_after(now + ends)
    return builder.add_extension(extension, critical=True).sign(issuer_key, hashes.SHA256())
