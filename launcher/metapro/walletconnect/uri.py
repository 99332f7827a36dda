"""The link by which an app invites a wallet.

    wc:<topic>@2?relay-protocol=irn&symKey=<key>&expiryTimestamp=<seconds>

A wallet's app is opened by a link that carries this one as its parameter `uri`. Metapro's forms are

    https://metapro.one/app/wc?uri=wc:…          https://wallet.metapro.one/app/wc?uri=wc:…
    metapro://wc?uri=wc:…

and its Mini App does not escape the inner link, so that `&symKey=…` looks like a parameter of the outer one:
whatever follows `uri=` belongs to it. An escaped link is read as well. The key opens everything that is
said in the pairing: it is a secret, and in no text of this module.
Documentation: specs.walletconnect.com/2.0/specs/clients/core/pairing/pairing-uri
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from flows.errors import BadInput

__all__ = ["PairingUri"]

_LINK = re.compile(r"wc:(?://)?(?P<topic>[0-9a-fA-F]{64})@(?P<version>\d+)\??(?P<query>.*)", re.DOTALL)
_KEY = re.compile(r"[0-9a-fA-F]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")
RELAY = "irn"
FIVE_MINUTES = 300.0


@dataclass(frozen=True, slots=True)
class PairingUri:
    """A pairing: its topic, the symmetric key of 32 bytes, and when it expires (Unix time, or None)."""

    topic: str
    key: bytes = field(repr=False)
    expires: int | None = None

    @classmethod
    def parse(cls, link: str) -> PairingUri:
        """Read a `wc:` link or one that carries it. Raises BadInput, which never shows the link."""
        found = _LINK.fullmatch(_inner(link.strip()))
        if found is None:
            raise _bad("This is no WalletConnect link.")
        if found["version"] != "2":
            raise _bad("This link is of a version of WalletConnect that no relay serves.")
        values = dict(parse_qsl(found["query"].partition("#")[0]))
        if not _KEY.fullmatch(values.get("symKey", "")):
            raise _bad("This WalletConnect link has no key (symKey).")
        if values.get("relay-protocol", RELAY) != RELAY:
            raise _bad("This WalletConnect link is for an unknown sort of relay.")
        expires = values.get("expiryTimestamp", "")
        return cls(
            found["topic"].lower(),
            bytes.fromhex(values["symKey"]),
            int(expires) if _SECONDS.fullmatch(expires) else None,
        )

    def seconds_left(self, now: float) -> float:
        """How long the app waits for a wallet: at most five minutes, which is also the default. Raises
        BadInput when the time is over."""
        left = FIVE_MINUTES if self.expires is None else min(self.expires - now, FIVE_MINUTES)
        if left <= 0:
            raise BadInput("This WalletConnect link has expired.", "Let the app make a new one.")
        return left


def _inner(link: str) -> str:
    """The `wc:` link inside another one; an escaped one ends where the outer link goes on."""
    if link.startswith("wc:"):
        return link
    carried = link.partition("uri=")[2]
    if carried.lower().startswith("wc%3a"):
        return unquote(re.split("[&#]", carried, maxsplit=1)[0])
    return carried


def _bad(what: str) -> BadInput:
    return BadInput(what, "Give the link the app opened: wc:…@2?…, or a wallet's link with uri=wc:….")
