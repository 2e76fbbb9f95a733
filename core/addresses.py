"""Where clients come from."""

import ipaddress


def network_of(address: str | None) -> str:
    """What a client cannot change about its address at will: of IPv6 the first half, which a household has.

    What is no address is left as it is.
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
