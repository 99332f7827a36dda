"""What a wallet was asked and what became of it, and who decides: its log and its policy.

By default a wallet says yes to what costs nothing, since its key is thrown away with it: connecting,
messages, typed data, another chain. Whatever spends is refused, unless the policy names it or somebody is
asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

__all__ = ["MESSAGES", "TRANSACTIONS", "Decision", "WalletPolicy", "WalletRequest"]

MESSAGES = frozenset({"personal_sign", "eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4"})
"""The methods that have a message signed."""
TRANSACTIONS = frozenset({"eth_sendTransaction", "eth_signTransaction", "eth_sendRawTransaction"})
"""The methods that may spend something."""
HARMLESS = MESSAGES | {
    "eth_requestAccounts",
    "wallet_requestPermissions",
    "wallet_switchEthereumChain",
    "wallet_addEthereumChain",
}


class Decision(StrEnum):
    """What became of a request."""

    ASKED = "asked"
    """Nothing yet."""
    ANSWERED = "answered"
    """It was none to be decided on."""
    ALLOWED = "allowed"
    SIGNED = "signed"
    SENT = "sent"
    """Signed and handed to the chain's node."""
    REFUSED = "refused"
    """`note` says why."""


@dataclass(slots=True)
class WalletRequest:
    """One request of the app: made when it comes, complete when it is decided.

    `time` is in seconds since the epoch; `address` and `chain_id` are those the wallet had then. Of a
    signature, `message` is the exact text (None for bytes that are none) and `data` the exact bytes; of a
    transaction, `message` is its JSON. `note`
    says why it was refused, or what the answer rests on. `result` of a signature request is the signature or
    the transaction's hash.
    """

    method: str
    params: list[Any] = field(repr=False)
    address: str
    chain_id: int
    time: float
    message: str | None = None
    data: bytes = field(default=b"", repr=False)
    decision: Decision = Decision.ASKED
    note: str = ""
    result: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class WalletPolicy:
    """Who decides: methods in `allowed` are agreed to without asking; of all others that need it, `decide` is
    asked, with the request as far as it is known. Without `decide` they are refused (4001)."""

    allowed: frozenset[str] = HARMLESS
    decide: Callable[[WalletRequest], bool | Awaitable[bool]] | None = None

    async def allows(self, request: WalletRequest) -> bool:
        if request.method in self.allowed:
            return True
        if self.decide is None:
            return False
        answer = self.decide(request)
        return bool(await answer if inspect.isawaitable(answer) else answer)
