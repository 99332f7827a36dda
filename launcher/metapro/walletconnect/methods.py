"""The words of the sign protocol: what each message is called, how the relay shall label and keep it.

Documentation: specs.walletconnect.com/2.0/specs/clients/sign/rpc-methods and …/core/pairing/rpc-methods
(times to live as today's clients set them: the page's are shorter for some)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["METHODS", "REJECTED", "UNKNOWN", "Code", "Label", "Refused"]

_MINUTES, _DAY = 300, 86_400


@dataclass(frozen=True, slots=True)
class Label:
    """The tag of a request (its answer has the next one), how many seconds the relay keeps either for a
    side that is away, and whether a phone shall be woken."""

    tag: int
    ttl: int
    prompt: bool = False


METHODS = {
    "wc_pairingDelete": Label(1000, _DAY),
    "wc_pairingPing": Label(1002, 30),
    "wc_sessionPropose": Label(1100, _MINUTES, prompt=True),
    "wc_sessionSettle": Label(1102, _MINUTES),
    "wc_sessionUpdate": Label(1104, _DAY),
    "wc_sessionExtend": Label(1106, _DAY),
    "wc_sessionRequest": Label(1108, 3 * _MINUTES, prompt=True),
    "wc_sessionEvent": Label(1110, _MINUTES, prompt=True),
    "wc_sessionDelete": Label(1112, _DAY),
    "wc_sessionPing": Label(1114, _DAY),
    "wc_sessionAuthenticate": Label(1116, 12 * _MINUTES, prompt=True),
}
UNKNOWN = Label(-1, _DAY)
"""What is not in the table is answered under tag 0."""
REJECTED = Label(1119, _MINUTES)
"""A proposal that the wallet turned down: its answer has a tag of its own, 1120."""


class Code(IntEnum):
    """The error codes that a wallet gives. Documentation: …/clients/sign/error-codes"""

    INVALID_EVENT = 1002
    INVALID_EXTEND = 1004
    UNAUTHORIZED_METHOD = 3001
    UNAUTHORIZED_UPDATE = 3003
    UNAUTHORIZED_CHAIN = 3005
    USER_REJECTED = 5000
    UNSUPPORTED_CHAINS = 5100
    UNSUPPORTED_METHODS = 5101
    UNSUPPORTED_EVENTS = 5102
    UNSUPPORTED_NAMESPACE = 5104
    USER_DISCONNECTED = 6000
    NO_SESSION = 7001
    REQUEST_EXPIRED = 8000
    UNSUPPORTED_WC_METHOD = 10001
    INVALID_PARAMS = -32602
    INTERNAL = -32603


class Refused(Exception):
    """The wallet answers a message with this error."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason
