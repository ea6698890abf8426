"""What must refuse a foreign address is asked at a fake socket: nothing is ever sent there."""

import socket

import pytest

from services.kernel.errors import Invalid
from services.webhooks.destinations import DestinationRefused, check_url, guard, is_public

REFUSED = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


def _info(address: str) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (address, 443))


@pytest.mark.parametrize("address", REFUSED)
def test_no_socket_is_made_towards_a_private_address(address: str) -> None:
    with pytest.raises(DestinationRefused):
        guard(_info(address), allow_loopback=False)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_loopback_is_open_where_the_sandbox_says_so() -> None:
    with guard(_info("127.0.0.1"), allow_loopback=True) as made:
        assert made.family == socket.AF_INET


def test_a_private_range_stays_shut_even_then() -> None:
    with pytest.raises(DestinationRefused):
        guard(_info("10.0.0.1"), allow_loopback=True)


def test_all_refusals_look_the_same() -> None:
    messages = set()
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
        with pytest.raises(DestinationRefused) as refused:
            guard(_info(address), allow_loopback=False)
        messages.add(str(refused.value))
    assert len(messages) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example/hook",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://user:pw@partner.example/",
        "ftp://x.example/",
    ],
)
def test_registration_refuses_what_can_be_known_to_be_wrong(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url, allow_loopback=False)
