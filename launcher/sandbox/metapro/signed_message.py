"""The text a wallet signs to prove that it is its owner's, and who has signed it.

Documentation and samples agree on the five lines; only wallet and hash vary. Signed is an EIP-191 personal
message.
"""

from __future__ import annotations

import re
import sys

from launcher.sandbox.metapro.refusal import Refused

__all__ = ["signed_by", "text_to_sign"]


_NO_EXTRA = (
    "This stand-in cannot check signatures. Run: pip install 'miniapp-launcher[metapro]', "
    "or from a clone: pip install '.[metapro]'"
)


def text_to_sign(wallet: str, hash_: str) -> str:
    lines = ("Please sign to let us verify", "that you are the owner of this address")
    return "\n".join((*lines, wallet, "", f"Request ID {hash_}"))


def signed_by(wallet: str, hash_: str, signature: str) -> bool:
    """Whether the wallet has signed this hash. Raises `Refused` when eth-account is not installed."""
    limit = sys.getrecursionlimit()
    try:
        from eth_account import Account
        from eth_account.messages import encode_defunct
    except ImportError:
        raise Refused(501, _NO_EXTRA) from None
    finally:
        sys.setrecursionlimit(limit)  # py_ecc raises it so far that deep JSON ends the process
    if not re.fullmatch(r"(0x)?[0-9a-fA-F]{130}", signature):
        return False
    message = encode_defunct(text=text_to_sign(wallet, hash_))
    try:
        signer = Account.recover_message(message, signature="0x" + signature.removeprefix("0x"))
    except Exception:  # eth-keys and coincurve each have exceptions of their own for a point off the curve
        return False
    return bool(signer.lower() == wallet.lower())
