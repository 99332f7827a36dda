"""What a wallet asks a node of its chain; and what it says when it has none.

Libraries read gas, nonce and blocks before they ask for a transaction. Those reads must not be what fails, or
the app never learns that its user has refused: so without a node they are answered with constants, and the
log says so. Balances, contracts and receipts are somebody's real data: they are refused in words.

Documentation: EIP-1474, and ethereum.org/developers/docs/apis/json-rpc
"""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import SecretStr

from launcher.metapro.eip1193 import INTERNAL, WalletRefused, quantity

__all__ = ["READS", "Node", "without_node"]

_GWEI = "0x3b9aca00"
_BLOCK = "0x1000000"
_ZERO_32 = "0x" + "00" * 32
CONSTANTS: dict[str, Any] = {
    "eth_blockNumber": _BLOCK,
    "eth_gasPrice": _GWEI,
    "eth_maxPriorityFeePerGas": _GWEI,
    "eth_estimateGas": "0x186a0",
    "eth_getTransactionCount": "0x0",
    "eth_feeHistory": {
        "oldestBlock": _BLOCK, "baseFeePerGas": [_GWEI, _GWEI], "gasUsedRatio": [0.5], "reward": [[_GWEI]],
    },
    "eth_getBlockByNumber": {
        "number": _BLOCK, "hash": "0x" + "11" * 32, "parentHash": "0x" + "22" * 32, "nonce": "0x" + "00" * 8,
        "sha3Uncles": _ZERO_32, "logsBloom": "0x" + "00" * 256, "transactionsRoot": _ZERO_32,
        "stateRoot": _ZERO_32, "receiptsRoot": _ZERO_32, "miner": "0x" + "00" * 20, "difficulty": "0x0",
        "totalDifficulty": "0x0", "extraData": "0x", "size": "0x220", "gasLimit": "0x1c9c380",
        "gasUsed": "0x0", "timestamp": "0x65920080", "baseFeePerGas": _GWEI, "transactions": [], "uncles": [],
        "mixHash": _ZERO_32,
    },
}  # fmt: skip
"""The answers of a wallet without a node: plausible, and those of no chain."""
READS = CONSTANTS.keys() | {
    "eth_blobBaseFee",
    "eth_call",
    "eth_createAccessList",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockReceipts",
    "eth_getCode",
    "eth_getLogs",
    "eth_getProof",
    "eth_getStorageAt",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_syncing",
}
"""What a node is asked on behalf of the app: nothing that changes anything, nothing it has to remember."""


def without_node(method: str, params: list[Any]) -> Any:
    """The constant that does for an answer, or None.

    Web3.js tries a transfer out by `eth_call` before it asks for it. A call without data has no result on any
    chain, one with data reads a contract.
    """
    if method == "eth_call" and params and isinstance(params[0], dict):
        data = params[0].get("data", params[0].get("input"))
        return "0x" if data in (None, "0x") else None
    return CONSTANTS.get(method)


class Node:
    """A node of one chain, asked over HTTP. Its URL is a secret: it often holds a key."""

    def __init__(self, url: SecretStr, *, timeout: float) -> None:
        self._url = url
        self._timeout = httpx.Timeout(timeout)
        self._chain_id: int | None = None

    async def chain_id(self) -> int:
        """The chain that the node is of; asked once."""
        if self._chain_id is None:
            self._chain_id = quantity(await self.call("eth_chainId", []), "The node's chain")
        return self._chain_id

    async def call(self, method: str, params: list[Any]) -> Any:
        """The result. Raises WalletRefused with the node's own error, or in words when it gives no answer."""
        answer = await self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        if "result" in answer:
            return answer["result"]
        error = answer.get("error")
        if not isinstance(error, dict) or not isinstance(error.get("code"), int):
            raise WalletRefused(INTERNAL, f"The RPC node gives no answer to {method}.")
        raise WalletRefused(error["code"], str(error.get("message"))[:500], error.get("data"))

    async def _post(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = (await self._response(question)).json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as failure:
            name = type(failure).__name__
            raise WalletRefused(INTERNAL, f"The RPC node cannot be asked ({name}).") from None
        return answer if isinstance(answer, dict) else {}

    async def _response(self, question: dict[str, Any]) -> httpx.Response:
        """By the transport alone: httpx's client writes every URL into its log."""
        request = httpx.Request(
            "POST",
            self._url.get_secret_value(),
            json=question,
            extensions={"timeout": self._timeout.as_dict()},
        )
        async with httpx.AsyncHTTPTransport() as transport:
            response = await transport.handle_async_request(request)
            await response.aread()
        return response
