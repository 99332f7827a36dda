"""A wallet: a key, a chain, and answers to an app's requests, with no browser and no relay in sight.

    wallet = Wallet()                                      # a key that is thrown away with it
    await wallet.answer("personal_sign", ["hello", wallet.address])
    wallet.requests[-1]                                    # what was signed, and that it was

`answer` is the whole of EIP-1193: every method an app may call, each answered, decided on by the policy, or
refused with its number. Signing is eth-account's and happens here; reading the chain is a node's, if an RPC
URL is given (see `node`). Nothing is ever sent over the chain unless the policy says so, and refusing a
transaction happens when it is asked for, not in the reads before.

What its owner does is a method: another account, another chain (also one that the app does not expect),
disconnecting, refusing what is asked next. Whoever puts the wallet before an app listens to the events that
follow from it, and each of these methods returns when the app has been told.

Documentation: EIP-1193, EIP-2255 (permissions), EIP-3085 and EIP-3326 (chains), EIP-191, EIP-712.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from pydantic import SecretStr

from flows.errors import BadInput
from launcher.metapro.eip1193 import (
    BAD_PARAMS,
    DISCONNECTED,
    REJECTED,
    UNAUTHORIZED,
    UNKNOWN_CHAIN,
    UNSUPPORTED,
    WalletRefused,
    as_json,
    first_object,
    quantity,
)
from launcher.metapro.node import READS, Node, without_node
from launcher.metapro.signables import Signable, personal_message, typed_data
from launcher.metapro.transactions import checked, complete
from launcher.metapro.wallet_log import MESSAGES, TRANSACTIONS, Decision, WalletPolicy, WalletRequest

__all__ = ["KEPT", "Wallet"]

KEPT = 1000
"""Requests that a wallet's log keeps; the oldest go first."""

Listener = Callable[[str, Any], Awaitable[None]]
_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class Wallet:
    """One user's wallet.

    `key` is a private key of 32 bytes in hexadecimal digits, None a fresh one. The wallet begins on
    `chain_id` and knows `chain_ids` besides. `rpc_url` is a node of one of them. Without `connected` the app
    has to ask first. `timeout`: seconds for the node's answer. Raises BadInput for a key that is none.
    """

    def __init__(
        self,
        key: SecretStr | None = None,
        *,
        chain_id: int = 56,
        chain_ids: Collection[int] = (1, 56, 97, 137, 8453, 42161, 80002, 11155111),
        policy: WalletPolicy | None = None,
        rpc_url: SecretStr | None = None,
        connected: bool = True,
        timeout: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = _account(key)
        self._accounts = {self.address: self._account}
        self._chain_id = chain_id
        self._known = {chain_id, *chain_ids}
        self._connected = connected
        self._refusals: list[tuple[str | None, WalletRefused]] = []
        self._listeners: list[Listener] = []
        self._node = Node(rpc_url, timeout=timeout) if rpc_url is not None else None
        self._clock = clock
        self.policy = policy or WalletPolicy()
        self.requests: deque[WalletRequest] = deque(maxlen=KEPT)
        self.injected = False
        """Whether it is before a page already: see `inject`."""

    def __repr__(self) -> str:
        return f"<Wallet {self.address} on chain {self._chain_id}>"

    @property
    def address(self) -> str:
        """The account, in lower case."""
        return str(self._account.address).lower()

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def chain_ids(self) -> frozenset[int]:
        """Every chain that the wallet knows."""
        return frozenset(self._known)

    @property
    def accounts(self) -> list[str]:
        """What the app sees of the accounts: the one, or none while it is not connected."""
        return [self.address] if self._connected else []

    # What its owner does

    async def switch_account(self, to: SecretStr | str | None = None) -> str:
        """Change to another account: that of a key, one that was there before by its address, or a fresh one.

        Returns its address. Raises BadInput for a key or an address that is none.
        """
        if isinstance(to, str):
            if to.lower() not in self._accounts:
                raise BadInput("The wallet has no such account.", "Give the account's key instead.")
            self._account = self._accounts[to.lower()]
        else:
            self._account = _account(to)
            self._accounts[self.address] = self._account
        if self._connected:
            await self._tell("accountsChanged", self.accounts)
        return self.address

    async def switch_chain(self, chain_id: int) -> None:
        """Change to another chain: any, the app need not expect it."""
        self._known.add(chain_id)
        if chain_id != self._chain_id:
            self._chain_id = chain_id
            await self._tell("chainChanged", hex(chain_id))

    async def disconnect(self) -> None:
        """Take the account away from the app, until it asks for it again.

        The app hears `accountsChanged` without an account, and `disconnect`: wallets differ in that.
        """
        if self._connected:
            self._connected = False
            await self._tell("accountsChanged", [])
            await self._tell("disconnect", WalletRefused(DISCONNECTED, "The wallet was disconnected.").error)

    def refuse_next(
        self,
        method: str | None = None,
        *,
        code: int = REJECTED,
        message: str = "The user rejected the request.",
    ) -> None:
        """Refuse the next request of this method; or of any that the user decides on, in their order."""
        self._refusals.append((method, WalletRefused(code, message)))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have every event of EIP-1193 told to `listener(name, payload)`: it is awaited, and must not raise.

        Returns what ends the listening.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _tell(self, event: str, payload: Any) -> None:
        for listener in tuple(self._listeners):
            await listener(event, payload)

    # What the app asks

    async def answer(self, method: str, params: list[Any] | None = None) -> Any:
        """The result of a request, as JSON values. Raises WalletRefused."""
        request = WalletRequest(method, params or [], self.address, self._chain_id, self._clock())
        self.requests.append(request)
        try:
            result = await self._answer(request)
        except WalletRefused as refusal:
            request.decision, request.note = Decision.REFUSED, refusal.message
            raise
        if request.decision is Decision.ASKED:
            request.decision = Decision.ANSWERED
        return result

    async def _answer(self, request: WalletRequest) -> Any:
        method = request.method
        if method in MESSAGES:
            return await self._sign_message(request)
        if method in TRANSACTIONS:
            return await self._transaction(request)
        if method in READS:
            return await self._read(request)
        if method in _ANSWERS:
            return await _ANSWERS[method](self, request)
        raise WalletRefused(UNSUPPORTED, _REFUSED.get(method, "The wallet does not have this method."))

    async def _decide(self, request: WalletRequest) -> None:
        """Ask whoever decides. Raises WalletRefused when the answer is no."""
        self._refuse(request.method, None)
        if not await self.policy.allows(request):
            raise WalletRefused(REJECTED, "The user rejected the request: the wallet's policy is against it.")
        request.decision = Decision.ALLOWED

    def _refuse(self, *methods: str | None) -> None:
        """Refuse, if the owner wants that of one of these."""
        for position, (method, refusal) in enumerate(self._refusals):
            if method in methods:
                del self._refusals[position]
                raise refusal

    # The account

    async def _request_accounts(self, request: WalletRequest) -> list[str]:
        if self._connected:
            self._refuse(request.method)
            return self.accounts
        await self._decide(request)
        self._connected = True
        await self._tell("connect", {"chainId": hex(self._chain_id)})
        await self._tell("accountsChanged", self.accounts)
        return self.accounts

    async def _seen_accounts(self, request: WalletRequest) -> list[str]:
        return self.accounts

    async def _coinbase(self, request: WalletRequest) -> str | None:
        return self.address if self._connected else None

    async def _request_permissions(self, request: WalletRequest) -> list[dict[str, Any]]:
        if set(first_object(request.params, request.method)) != {"eth_accounts"}:
            raise WalletRefused(UNSUPPORTED, "The only permission of this wallet is eth_accounts.")
        await self._request_accounts(request)
        return self._permissions()

    async def _get_permissions(self, request: WalletRequest) -> list[dict[str, Any]]:
        return self._permissions()

    def _permissions(self) -> list[dict[str, Any]]:
        caveat = {"type": "restrictReturnedAccounts", "value": self.accounts}
        return [{"parentCapability": "eth_accounts", "caveats": [caveat]}] if self._connected else []

    async def _revoke_permissions(self, request: WalletRequest) -> None:
        await self.disconnect()

    # The chain

    async def _chain(self, request: WalletRequest) -> str:
        return hex(self._chain_id)

    async def _network(self, request: WalletRequest) -> str:
        return str(self._chain_id)

    async def _client(self, request: WalletRequest) -> str:
        return "miniapp-launcher"

    async def _switch_chain(self, request: WalletRequest) -> None:
        chain_id = _chain_of(request)
        if chain_id not in self._known:
            raise WalletRefused(UNKNOWN_CHAIN, f"The wallet does not know chain {chain_id}: add it first.")
        if chain_id != self._chain_id:
            await self._decide(request)
            await self.switch_chain(chain_id)

    async def _add_chain(self, request: WalletRequest) -> None:
        """The chain is known from now on, and the wallet changes to it, as the common wallets do. Nothing is
        ever sent to the RPC URLs that the app gives."""
        chain_id = _chain_of(request)
        await self._decide(request)
        await self.switch_chain(chain_id)

    async def _read(self, request: WalletRequest) -> Any:
        node = await self._node_here()
        if node is not None:
            return await node.call(request.method, request.params)
        constant = without_node(request.method, request.params)
        if constant is None:
            raise WalletRefused(UNSUPPORTED, f"{request.method}: {self._no_node}")
        request.note = f"a constant: {self._no_node}"
        return constant

    async def _node_here(self) -> Node | None:
        """The node, if it is one of the chain that the wallet is on."""
        node = self._node
        return node if node is not None and await node.chain_id() == self._chain_id else None

    @property
    def _no_node(self) -> str:
        return f"the wallet has no RPC URL for chain {self._chain_id}."

    # Signatures

    async def _sign_message(self, request: WalletRequest) -> str:
        signable = self._signable(request)
        request.message, request.data = signable.text, signable.data
        account = self._signer(signable.account)
        await self._decide(request)
        signature = "0x" + account.sign_message(signable.encoded).signature.hex().removeprefix("0x")
        request.decision, request.result = Decision.SIGNED, SecretStr(signature)
        return signature

    def _signable(self, request: WalletRequest) -> Signable:
        if request.method == "personal_sign":
            return personal_message(request.params)
        return typed_data(request.method, request.params, self._chain_id)

    def _signer(self, account: str) -> LocalAccount:
        if account not in self.accounts:
            raise WalletRefused(UNAUTHORIZED, "The app is not connected to the account that is to sign.")
        return self._account

    async def _transaction(self, request: WalletRequest) -> str:
        account = self._signer(self.address)
        if request.method == "eth_sendRawTransaction":
            await self._decide(request)
            return await self._send(request, _raw(request.params))
        asked = first_object(request.params, request.method)
        fields = checked(asked, request.address, self._chain_id)
        request.message = as_json(asked)
        await self._decide(request)
        raw = await self._signed(account, fields, asked)
        if request.method == "eth_sendTransaction":
            return await self._send(request, raw)
        request.decision, request.result = Decision.SIGNED, SecretStr(raw)
        return raw

    async def _signed(self, account: LocalAccount, fields: dict[str, Any], asked: Mapping[str, Any]) -> str:
        address = str(account.address).lower()
        whole = await complete(fields, asked, address, await self._node_here())
        try:
            signed = account.sign_transaction(whole)
        except (TypeError, ValueError) as failure:
            name = type(failure).__name__
            raise WalletRefused(BAD_PARAMS, f"The transaction cannot be signed ({name}).") from None
        return "0x" + signed.raw_transaction.hex().removeprefix("0x")

    async def _send(self, request: WalletRequest, raw: str) -> str:
        node = await self._node_here()
        if node is None:
            raise WalletRefused(UNSUPPORTED, f"The transaction is not sent: {self._no_node}")
        sent = str(await node.call("eth_sendRawTransaction", [raw]))
        request.decision, request.result = Decision.SENT, SecretStr(sent)
        return sent


_ANSWERS: dict[str, Callable[[Wallet, WalletRequest], Awaitable[Any]]] = {
    "eth_requestAccounts": Wallet._request_accounts,
    "eth_accounts": Wallet._seen_accounts,
    "eth_coinbase": Wallet._coinbase,
    "eth_chainId": Wallet._chain,
    "net_version": Wallet._network,
    "web3_clientVersion": Wallet._client,
    "wallet_requestPermissions": Wallet._request_permissions,
    "wallet_getPermissions": Wallet._get_permissions,
    "wallet_revokePermissions": Wallet._revoke_permissions,
    "wallet_switchEthereumChain": Wallet._switch_chain,
    "wallet_addEthereumChain": Wallet._add_chain,
}
_REFUSED = {
    "eth_sign": "eth_sign signs what nobody can read, and wallets no longer have it: use personal_sign.",
}


def _account(key: SecretStr | None) -> LocalAccount:
    if key is None:
        return Account.create()  # type: ignore[no-any-return]
    try:
        if not _KEY.fullmatch(key.get_secret_value()):  # eth-account takes shorter ones, too
            raise ValueError
        return Account.from_key(key.get_secret_value())  # type: ignore[no-any-return]
    except Exception:  # eth-account's errors differ, and tell the key
        raise BadInput("The wallet's key is none.", "Give 32 bytes as 64 hexadecimal digits.") from None


def _chain_of(request: WalletRequest) -> int:
    return quantity(first_object(request.params, request.method).get("chainId"), "chainId")


def _raw(params: list[Any]) -> str:
    if params and isinstance(params[0], str):
        return params[0]
    raise WalletRefused(BAD_PARAMS, "eth_sendRawTransaction takes a signed transaction.")
