"""Which addresses a session may lead to: a session is connected to before anything is known of who answers.

Telegram's data centres are in the networks that core.telegram.org/resources/cidr.txt lists; a sandbox is on
the loopback.
"""

from ipaddress import ip_address, ip_network

__all__ = ["is_address_of"]

_TELEGRAM = [
    ip_network(network)
    for network in (
        "91.105.192.0/23", "91.108.4.0/22", "91.108.8.0/22", "91.108.12.0/22", "91.108.16.0/22",
        "91.108.20.0/22", "91.108.56.0/22", "149.154.160.0/20", "185.76.151.0/24",
        "2001:67c:4e8::/48", "2001:b28:f23c::/48", "2001:b28:f23d::/48", "2001:b28:f23f::/48",
        "2a0a:f280::/32",
    )
]  # fmt: skip


def is_address_of(server: str, host: str) -> bool:
    """Whether `host` can be a data centre of this server ("production", "test", "sandbox"). Names are not
    looked up: they are no address of anything."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback if server == "sandbox" else any(address in network for network in _TELEGRAM)
