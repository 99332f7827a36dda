"""What passes between an app and its wallet: refusals by number, and the values of parameters.

Documentation: EIP-1193 (provider errors), EIP-1474 (the numbers of JSON-RPC), EIP-3326 (4902), EIP-2255.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from eth_utils.address import is_address

__all__ = [
    "BAD_PARAMS",
    "DISCONNECTED",
    "INTERNAL",
    "LIMIT_EXCEEDED",
    "REJECTED",
    "UNAUTHORIZED",
    "UNKNOWN_CHAIN",
    "UNSUPPORTED",
    "WalletRefused",
    "address",
    "as_json",
    "first_object",
    "quantity",
]

REJECTED: Final = 4001
"""The user does not want it."""
UNAUTHORIZED: Final = 4100
"""The app is not connected, or not to that account."""
UNSUPPORTED: Final = 4200
DISCONNECTED: Final = 4900
UNKNOWN_CHAIN: Final = 4902
LIMIT_EXCEEDED: Final = -32005
BAD_PARAMS: Final = -32602
INTERNAL: Final = -32603

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")


class WalletRefused(Exception):
    """The wallet's answer is no: what an app's library gets as a ProviderRpcError.

    `code` is one of the numbers of EIP-1193 and EIP-1474, `data` what a node said beside it, if one did.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data

    @property
    def error(self) -> dict[str, Any]:
        """The error object of JSON-RPC."""
        plain = {"code": self.code, "message": self.message}
        return plain if self.data is None else plain | {"data": self.data}


def quantity(value: Any, name: str) -> int:
    """A number as Ethereum's JSON writes it: 0x and hexadecimal digits, at most 256 bits."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 16)
    raise WalletRefused(BAD_PARAMS, f"{name} has to be a number in hexadecimal digits, such as 0x38.")


def address(value: Any) -> str | None:
    """The address in lower case, or None for what is none."""
    return (
        value.lower() if isinstance(value, str) and value[:2] == "0x" and is_address(value.lower()) else None
    )


def as_json(value: Any) -> str:
    """The text of a parameter. Raises WalletRefused for one that is nested too deep."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise WalletRefused(BAD_PARAMS, "The parameter is nested too deep.") from None


def first_object(params: list[Any], method: str) -> Mapping[str, Any]:
    if params and isinstance(params[0], dict):
        return params[0]
    raise WalletRefused(BAD_PARAMS, f"The first parameter of {method} has to be an object.")
