"""Where a webhook may go. What a name resolves to is judged at the socket itself, after resolution and before connecting,
so that no spelling and no second resolution slips through. Errors look the same, so nobody can map our network with them.
"""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from services.webhooks.errors import destination_refused

REFUSAL = "The destination could not be reached."
_METADATA = ipaddress.ip_address("169.254.169.254")


class DestinationRefused(OSError):
    """Raised where a connection would have been opened."""

    def __init__(self) -> None:
        super().__init__(REFUSAL)


def is_public(address: str) -> bool:
    """Whether an IP address, as the socket would get it, belongs to the public internet."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or _nat64(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip != _METADATA


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    in_prefix = ip in ipaddress.IPv6Network("64:ff9b::/96") or ip in ipaddress.IPv6Network("64:ff9b:1::/48")
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if in_prefix else None


def is_allowed(address: str, *, allow_loopback: bool) -> bool:
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    return is_public(address) or (allow_loopback and ip.is_loopback)


def guard(addr_info: tuple[Any, ...], *, allow_loopback: bool) -> socket.socket:
    """aiohttp's socket factory: refuses before a socket exists."""
    family, kind, proto, _, address = addr_info
    if not is_allowed(address[0], allow_loopback=allow_loopback):
        raise DestinationRefused()
    return socket.socket(family=family, type=kind, proto=proto)


def connector(*, allow_loopback: bool) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(
        limit=200,
        limit_per_host=16,
        ttl_dns_cache=30,
        socket_factory=lambda info: guard(info, allow_loopback=allow_loopback),
    )


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Refuses what can be known to be wrong when an endpoint is registered: 422 at /url."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise destination_refused("This is not a URL.") from error
    if not host or parts.username or parts.password or parts.fragment:
        raise destination_refused("A URL with a host, and without credentials or fragment, is needed.")
    if parts.scheme != "https" and not (allow_loopback and parts.scheme == "http" and is_loopback_name(host)):
        raise destination_refused("The URL must be https.")
    _check_literal(host, allow_loopback=allow_loopback)


def is_loopback_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_literal(host: str, *, allow_loopback: bool) -> None:
    try:
        allowed = is_allowed(host, allow_loopback=allow_loopback)
    except ValueError:
        return
    if not allowed:
        raise destination_refused("This address is not on the public internet.")
