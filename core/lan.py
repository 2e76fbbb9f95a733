"""On a school's own network: what `serve --lan` needs for HTTPS without anybody's help.

The first start makes a certificate authority in DATA_DIR, which devices come to trust, and a certificate by it. Later
starts make another certificate where the old one ends soon or this machine has another address. There is never another
authority by itself: devices would refuse the server, and people would learn to pass over the warning.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.conf import settings

from core import certificates, hosts
from core.addresses import is_loopback
from core.certificates import Address, Identity, Unusable
from core.files import kept, private_folder, replaced
from core.times import now

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class CannotServe(Exception):
    """Why the server cannot be on the network. The text is one line that says what to do."""


@dataclass(frozen=True)
class Lan:
    """A server on the network, over HTTPS."""

    #: Where people reach it, without a slash at the end.
    url: str
    #: Where devices come to trust it, over plain HTTP.
    trust_url: str
    #: The authority that they are to trust.
    authority: x509.Certificate

    @property
    def der(self) -> bytes:
        """The authority's certificate, as devices take it."""
        return self.authority.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, as devices show it: 32 pairs of hexadecimal digits."""
        return self.authority.fingerprint(hashes.SHA256()).hex(":").upper()


def folder() -> Path:
    """Where the authority and the certificate are."""
    return Path(settings.DATA_DIR) / "lan"


def authority_file() -> Path:
    """The authority's certificate and key: whoever has this file can pass for every server of the private network."""
    return folder() / "authority.pem"


def public_file() -> Path:
    """The authority's certificate alone, to be handed to devices."""
    return folder() / "authority.crt"


def server_file() -> Path:
    """The server's certificate and key."""
    return folder() / "server.pem"


def require_alone() -> None:
    """Raises `CannotServe` where another server answers for this one."""
    if settings.PUBLIC_URL:
        raise CannotServe(
            f"LAN and PUBLIC_URL={settings.PUBLIC_URL} do not go together: with LAN this server does HTTPS itself, by"
            " its own address. Leave one of them out."
        )


def name_to_open(host: str) -> str:
    """The address or name by which the network reaches a server that listens on `host`.

    Raises `CannotServe` where there is none, or none is let in.
    """
    reached = hosts.network_addresses() if hosts.is_everywhere(host) else [host]
    if not reached:
        raise CannotServe(
            "LAN needs a network, and this machine has no address in one. Join the school's Wi-Fi, or plug the cable"
            " in; or set HOST to the address that others reach."
        )
    listed = [name.removeprefix(".") for name in settings.ALLOWED_HOSTS if name != "*" and not is_loopback(name)]
    for name in (*reached, *listed):
        if hosts.is_allowed(name):
            return name
    raise CannotServe(f"ALLOWED_HOSTS lets nobody in from the network. Add {reached[0]} to it.")


def prepare(name: str) -> None:
    """Makes sure of the authority, and of a certificate for `name` and for what else this machine is called.

    Raises `CannotServe`.
    """
    try:
        private_folder(folder())
        _prepare(name)
    except OSError as failure:
        raise CannotServe(f"Cannot use {failure.filename or folder()}: {failure.strerror}.") from None


def here() -> Lan | None:
    """This server on the network; None if it is not there."""
    if not (settings.LAN and settings.PUBLIC_URL and settings.TRUST_PORT and public_file().exists()):
        return None
    return Lan(settings.PUBLIC_URL, trust_url(), x509.load_pem_x509_certificate(public_file().read_bytes()))


def trust_url() -> str:
    """Where devices come to trust this server, which is on the network; without a slash at the end."""
    return hosts.url_of(urlsplit(settings.PUBLIC_URL).hostname or "", settings.TRUST_PORT or 0, "http")


def _prepare(name: str) -> None:
    names, addresses = _known_by(name)
    authority = _authority(names, addresses)
    needed = _address(name) or name
    if not certificates.vouches_for(authority, needed):
        raise CannotServe(
            f"The authority in {folder()} may not vouch for {name}, which is outside of the networks that it was made"
            f" for. {_ANOTHER}"
        )
    with replaced(public_file()) as file:
        file.write(authority.certificate.public_bytes(serialization.Encoding.PEM))
    for_names = [each for each in names if certificates.vouches_for(authority, each)]
    for_addresses = [each for each in addresses if certificates.vouches_for(authority, each)]
    known = {"names": for_names, "addresses": for_addresses, "now": now()}
    try:
        server = certificates.read(server_file().read_bytes())
        if certificates.serves(server, authority, **known):  # type: ignore[arg-type]
            return
    except (FileNotFoundError, Unusable):
        pass
    with replaced(server_file()) as file:
        file.write(certificates.make_server(authority, **known).pem)  # type: ignore[arg-type]


#: What to do about an authority that does not serve.
_ANOTHER = (
    "Take the folder from a copy, or remove it: the next start makes another authority, which every device has to trust"
    " anew."
)


def _authority(names: list[str], addresses: list[Address]) -> Identity:
    """The authority in the folder; another one only where there is nothing of one."""
    if not authority_file().exists():
        if public_file().exists() or server_file().exists():
            raise CannotServe(f"{authority_file()} is gone, the key of the authority that devices trust. {_ANOTHER}")
        called = f"Live attendance, {socket.gethostname()}"
        made = certificates.make_authority(name=called, names=names, addresses=addresses, now=now())
        kept(authority_file(), made.pem)
    try:
        authority = certificates.read(authority_file().read_bytes())
        certificates.require_authority(authority, now())
    except Unusable as why:
        raise CannotServe(f"{authority_file()} is of no use: {why}. {_ANOTHER}") from None
    return authority


def _known_by(name: str) -> tuple[list[str], list[Address]]:
    """What this machine is called, `name` among it, and its addresses."""
    host = socket.gethostname().lower()
    listed = (each.removeprefix(".").lower() for each in settings.ALLOWED_HOSTS)
    called = [name, "localhost", host, f"{host.partition('.')[0]}.local", *listed]
    addresses = [_address(each) for each in (*called, "127.0.0.1", "::1", *hosts.network_addresses())]
    names = [each for each in called if _address(each) is None and _NAME.fullmatch(each)]
    return list(dict.fromkeys(names)), list(dict.fromkeys(each for each in addresses if each is not None))


def _address(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
