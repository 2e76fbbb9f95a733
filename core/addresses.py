"""Addresses: the network of a client's, by which limits and turns count, and whether the server's is this machine's."""

import functools
import ipaddress


def network_if_known(address: str | None) -> str | None:
    """`network_of`, for limits that do not count who is not known by an address: None stays None."""
    return None if address is None else network_of(address)


@functools.lru_cache(maxsize=4096)
def network_of(address: str | None) -> str:
    """The part of `address` that a client cannot change at will: an IPv4 address, or the first half of an IPv6 address.

    A text that is no address is returned as it is, and None as "".
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def is_loopback(host: str) -> bool:
    """Whether a server that listens on `host` is reached from its own machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def on_network(host: str) -> str:
    """Where a server listens that is to be reached from the network: on `host`, or on every address of this machine."""
    return "::" if is_loopback(host) else host
