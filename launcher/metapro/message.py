"""The message that a wallet signs to prove whose it is: five lines, of which only wallet and hash vary.

Wallet in lower case, LF between the lines, none at the end; signed as an EIP-191 personal message.
"""

from __future__ import annotations

import re

from eth_account import Account
from eth_account.messages import encode_defunct

__all__ = ["read_message", "recover", "sign_in_message"]

_FIRST = "Please sign to let us verify\nthat you are the owner of this address\n"
_MESSAGE = re.compile(rf"{re.escape(_FIRST)}(?P<wallet>[^\n]*)\n\nRequest ID (?P<hash>[^\n]+)")


def sign_in_message(wallet: str, hash: str) -> str:
    """The text for this wallet and this hash."""
    return f"{_FIRST}{wallet.lower()}\n\nRequest ID {hash}"


def read_message(text: str) -> tuple[str, str]:
    """Wallet and hash of such a text. Raises ValueError for any other, also for one byte more."""
    found = _MESSAGE.fullmatch(text)
    if found is None:
        raise ValueError("it is not the five lines that Metapro has signed")
    if not re.fullmatch(r"0x[0-9a-f]{40}", found["wallet"]):
        raise ValueError("its third line is no wallet in lower case")
    return found["wallet"], found["hash"]


def recover(message: str, signature: str) -> str:
    """The address, in lower case, whose key has signed the text. Raises ValueError for no signature."""
    try:
        signer = Account.recover_message(encode_defunct(text=message), signature=signature)
    except Exception:
        raise ValueError("it is no signature") from None
    return str(signer).lower()
