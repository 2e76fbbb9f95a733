"""A certificate authority of the server's own, and the certificates that it makes for the server (X.509).

The authority vouches for this machine and for private networks alone (name constraints), so that whoever steals its key
cannot pass for a bank with the people who trust it.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

AUTHORITY_LIFETIME = timedelta(days=3652)
#: Apple's devices take no certificate for longer than 825 days from an authority that people added, and browsers none
#: for longer than 398 days from one that they brought along.
LIFETIME = timedelta(days=397)
#: The server gets another certificate when it starts within so long of the end.
RENEWED_BEFORE = timedelta(days=90)
#: The clocks of devices may be late by so much.
CLOCKS_BEHIND = timedelta(days=1)
#: Networks that are nobody's in the Internet: private, shared, of one link, and this machine's own.
PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
#: Names that no certificate of the Internet has. The names of mDNS end with the second.
PRIVATE_NAMES = ("localhost", "local")


class Unusable(Exception):
    """Of an authority or a certificate that does not serve; the text says why, without a full stop."""


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """Both, as one file. Whoever has it is this authority or server."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def ends(self) -> datetime:
        return self.certificate.not_valid_after_utc


def read(pem: bytes) -> Identity:
    """What `Identity.pem` wrote. Raises `Unusable` for anything else."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError):
        raise Unusable("it has no key and certificate that can be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise Unusable("its key is not that of its certificate")
    return Identity(certificate, key)


def make_authority(*, name: str, names: Sequence[str], addresses: Sequence[Address], now: datetime) -> Identity:
    """An authority for private networks, and for these names and addresses. `name`: what devices call it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    own = [address for address in addresses if not any(address in network for network in PRIVATE)]
    permitted: list[x509.GeneralName] = [
        *(x509.DNSName(each) for each in dict.fromkeys((*PRIVATE_NAMES, *names))),
        *(x509.IPAddress(network) for network in [*PRIVATE, *(ipaddress.ip_network(each) for each in own)]),
    ]
    builder = (
        _builder(subject, subject, key, now, now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
    )
    return Identity(builder.sign(key, hashes.SHA256()), key)


def require_authority(authority: Identity, now: datetime) -> None:
    """Raises `Unusable` where it is no authority, or not now."""
    try:
        constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        raise Unusable("it is no certificate authority") from None
    if not constraints.ca:
        raise Unusable("it is no certificate authority")
    if now >= authority.ends:
        raise Unusable(f"it ended on {authority.ends:%Y-%m-%d}")
    if now < authority.certificate.not_valid_before_utc:
        raise Unusable(f"it begins on {authority.certificate.not_valid_before_utc:%Y-%m-%d}, by this machine's clock")


def vouches_for(authority: Identity, name: str | Address) -> bool:
    """Whether devices take a certificate of the authority for this name or address."""
    try:
        limits = authority.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return True
    permitted = limits.permitted_subtrees or ()
    if isinstance(name, str):
        ends = [each.value for each in permitted if isinstance(each, x509.DNSName)]
        return any(name == end or name.endswith(f".{end}") for end in ends)
    networks: list[Any] = [each.value for each in permitted if isinstance(each, x509.IPAddress)]
    return any(name in network for network in networks)


def make_server(authority: Identity, *, names: Sequence[str], addresses: Sequence[Address], now: datetime) -> Identity:
    """A server's certificate by the authority, for all of these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Live attendance")])
    issued_by = authority.certificate
    alternatives = [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]
    builder = (
        _builder(subject, issued_by.subject, key, now, min(now + LIFETIME - CLOCKS_BEHIND, authority.ends))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    return Identity(builder.sign(authority.key, hashes.SHA256()), key)


def serves(
    server: Identity, authority: Identity, *, names: Sequence[str], addresses: Sequence[Address], now: datetime
) -> bool:
    """Whether the server's certificate is the authority's, for exactly these names and addresses, for long enough."""
    try:
        server.certificate.verify_directly_issued_by(authority.certificate)
        said = server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # whatever is wrong with it, another is made
        return False
    told = {*said.get_values_for_type(x509.DNSName), *said.get_values_for_type(x509.IPAddress)}
    soon_ends = now >= server.ends - RENEWED_BEFORE and server.ends < authority.ends
    begun = server.certificate.not_valid_before_utc <= now < server.ends
    return begun and not soon_ends and told == {*names, *addresses}


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    """What every certificate has."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - CLOCKS_BEHIND)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
