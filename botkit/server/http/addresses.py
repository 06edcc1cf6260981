"""Owns which addresses count as one: an IPv4 address, or the /64 that one IPv6 customer is given."""

import ipaddress


def of_one_customer(text: str | None) -> str:
    """What counts for an address; "unknown" for what is none."""
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
