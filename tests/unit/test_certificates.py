"""Certificates of the server's own: OpenSSL takes what devices are to take, and refuses the rest."""

import ipaddress
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from core import certificates
from core.certificates import Identity, Unusable
from core.times import now

HOME = ipaddress.ip_address("192.168.7.9")
#: An address that the Internet knows.
CAMPUS = ipaddress.ip_address("141.5.6.7")


def authority(**more: object) -> Identity:
    given = {"name": "School", "names": ["desk.school.example"], "addresses": [HOME, CAMPUS], "now": now(), **more}
    return certificates.make_authority(**given)  # type: ignore[arg-type]


def verified(folder: Path, by: Identity, server: Identity, *names: str) -> bool:
    """Whether OpenSSL takes the server's certificate for all of these names and addresses."""
    (folder / "authority.pem").write_bytes(by.certificate.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(server.pem)
    for name in names:
        option = "-verify_ip" if name[0].isdigit() or ":" in name else "-verify_hostname"
        asked = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", option, name]
        done = subprocess.run(
            [*asked, "-CAfile", folder / "authority.pem", folder / "server.pem"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return False
    return True


def test_a_certificate_is_good_for_what_it_names_and_for_nothing_else(tmp_path: Path) -> None:
    by = authority()
    names = ["desk.school.example", "desk.local", "localhost"]
    addresses = [HOME, CAMPUS, ipaddress.ip_address("::1")]
    server = certificates.make_server(by, names=names, addresses=addresses, now=now())
    assert verified(tmp_path, by, server, *names, *map(str, addresses))
    assert not verified(tmp_path, by, server, "192.168.7.8")
    assert not verified(tmp_path, by, server, "other.local")


@pytest.mark.parametrize(
    ("names", "addresses"), [(["bank.example"], []), (["localhost"], ["9.9.9.9"]), (["localhost"], ["2600::1"])]
)
def test_whoever_steals_the_authority_cannot_pass_for_the_internet(
    tmp_path: Path, names: list[str], addresses: list[str]
) -> None:
    by = authority()
    stolen = certificates.make_server(by, names=names, addresses=[*map(ipaddress.ip_address, addresses)], now=now())
    assert not verified(tmp_path, by, stolen, names[0])
    assert not all(certificates.vouches_for(by, each) for each in (*names, *map(ipaddress.ip_address, addresses)))


@pytest.mark.parametrize("name", ["desk.school.example", "any.local", "localhost", HOME, CAMPUS])
def test_an_authority_vouches_for_private_networks_and_for_its_own_machine(name: certificates.Address | str) -> None:
    assert certificates.vouches_for(authority(), name)


def test_a_certificate_lasts_as_long_as_every_device_takes() -> None:
    made = certificates.make_server(authority(), names=["localhost"], addresses=[], now=now()).certificate
    assert made.not_valid_after_utc - made.not_valid_before_utc <= timedelta(days=398)
    assert made.not_valid_before_utc <= now() - timedelta(hours=23)  # clocks of devices are late, too


def test_a_certificate_is_replaced_before_its_end_for_another_address_and_under_another_authority() -> None:
    by, moment = authority(), now()
    known = {"names": ["localhost"], "addresses": [HOME]}
    server = certificates.make_server(by, **known, now=moment)  # type: ignore[arg-type]
    serves = certificates.serves
    assert serves(server, by, **known, now=moment)  # type: ignore[arg-type]
    assert serves(server, by, **known, now=moment + timedelta(days=300))  # type: ignore[arg-type]
    assert not serves(server, by, **known, now=moment + timedelta(days=310))  # type: ignore[arg-type]
    assert not serves(server, by, **known, now=moment - timedelta(days=2))  # type: ignore[arg-type]
    assert not serves(server, by, names=["localhost"], addresses=[CAMPUS], now=moment)
    assert not serves(server, authority(), **known, now=moment)  # type: ignore[arg-type]


def test_no_certificate_outlasts_its_authority() -> None:
    by = authority()
    late = by.ends - timedelta(days=30)
    server = certificates.make_server(by, names=["localhost"], addresses=[], now=late)
    assert server.ends == by.ends
    assert certificates.serves(server, by, names=["localhost"], addresses=[], now=late)  # another one lasts no longer


def test_an_authority_has_its_time() -> None:
    by = authority()
    certificates.require_authority(by, now())
    with pytest.raises(Unusable, match="it ended on"):
        certificates.require_authority(by, by.ends)
    with pytest.raises(Unusable, match="it begins on"):
        certificates.require_authority(by, now() - timedelta(days=2))


def test_a_server_is_no_authority() -> None:
    server = certificates.make_server(authority(), names=["localhost"], addresses=[], now=now())
    with pytest.raises(Unusable, match="no certificate authority"):
        certificates.require_authority(server, now())


def test_what_was_written_is_read_again() -> None:
    by = authority()
    again = certificates.read(by.pem)
    assert (again.certificate, again.key.private_numbers()) == (by.certificate, by.key.private_numbers())


def test_what_is_no_key_with_its_certificate_is_of_no_use() -> None:
    one, other = authority().pem, authority().pem
    key, certificate = (
        one.split(b"-----BEGIN CERTIFICATE")[0],
        b"-----BEGIN CERTIFICATE" + other.split(b"-----BEGIN CERTIFICATE")[1],
    )
    for broken in (b"", b"nonsense", one[:-300], key, certificate, key + certificate):
        with pytest.raises(Unusable):
            certificates.read(broken)


def test_python_takes_it_with_its_strictest_rules(tmp_path: Path) -> None:
    by = authority()
    server = certificates.make_server(by, names=["localhost"], addresses=[], now=now())
    (tmp_path / "server.pem").write_bytes(server.pem)
    (tmp_path / "authority.pem").write_bytes(by.pem)
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    there.load_cert_chain(tmp_path / "server.pem")
    here = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    here.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = here.wrap_bio(to_client, to_server, server_hostname="localhost")
    answering = there.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, answering, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == "TLSv1.3"
