"""A transaction that an app asks for, made whole: what it leaves out is asked of the chain's node.

Documentation: ethereum.org/developers/docs/apis/json-rpc#eth_sendtransaction, EIP-1559.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_utils.address import to_checksum_address

from launcher.metapro.eip1193 import BAD_PARAMS, UNAUTHORIZED, UNSUPPORTED, WalletRefused, address, quantity
from launcher.metapro.node import Node

__all__ = ["checked", "complete"]


def checked(asked: Mapping[str, Any], account: str, chain_id: int) -> dict[str, Any]:
    """The transaction's fields in eth-account's form, as far as the app gives them.

    Raises WalletRefused for one of another account or chain, and for fields that cannot be read.
    """
    if address(asked.get("from", account)) != account:
        raise WalletRefused(UNAUTHORIZED, "The transaction is to be sent from another account.")
    if "chainId" in asked and quantity(asked["chainId"], "chainId") != chain_id:
        raise WalletRefused(
            BAD_PARAMS, f"The transaction is for another chain than the wallet's ({chain_id})."
        )
    fields: dict[str, Any] = {"chainId": chain_id, "value": quantity(asked.get("value", "0x0"), "value")}
    fields["data"] = _data(asked.get("data", asked.get("input", "0x")))
    if asked.get("to") is not None:
        fields["to"] = _receiver(asked["to"])
    names = {"gas": "gas", "gasLimit": "gas"} | {name: name for name in ("nonce", *_LEGACY, *_MARKET)}
    fields |= {
        ours: quantity(asked[name], name) for name, ours in names.items() if asked.get(name) is not None
    }
    if asked.get("accessList"):
        fields["accessList"] = asked["accessList"]
    return fields


_LEGACY = ("gasPrice",)
_MARKET = ("maxFeePerGas", "maxPriorityFeePerGas")


def _receiver(value: Any) -> str:
    receiver = address(value)
    if receiver is None:
        raise WalletRefused(BAD_PARAMS, "The receiver (`to`) of the transaction is no address.")
    return str(to_checksum_address(receiver))


def _data(value: Any) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise WalletRefused(BAD_PARAMS, "The data of the transaction are no hexadecimal digits.") from None


async def complete(
    fields: dict[str, Any], asked: Mapping[str, Any], account: str, node: Node | None
) -> dict[str, Any]:
    """The fields with nonce, gas and fees.

    Raises WalletRefused when some are missing and there is no node to ask.
    """
    missing: dict[str, tuple[str, list[Any]]] = {
        "nonce": ("eth_getTransactionCount", [account, "pending"]),
        "gas": ("eth_estimateGas", [{"from": account, **asked}]),
    }
    if "maxFeePerGas" in fields:
        fields.setdefault("maxPriorityFeePerGas", 0)
    elif "maxPriorityFeePerGas" in fields:
        raise WalletRefused(BAD_PARAMS, "The transaction has maxPriorityFeePerGas without maxFeePerGas.")
    else:
        missing["gasPrice"] = ("eth_gasPrice", [])
    absent = [name for name in missing if name not in fields]
    if absent and node is None:
        raise WalletRefused(
            UNSUPPORTED, f"The transaction lacks {', '.join(absent)}, and the wallet has no RPC URL to ask."
        )
    for name in absent:
        assert node is not None
        fields[name] = quantity(await node.call(*missing[name]), name)
    return fields
