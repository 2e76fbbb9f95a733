"""The network of a client's address, by which limits and turns count."""

import ipaddress


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
