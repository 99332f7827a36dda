"""What an app asks of a wallet, and what it is given: chains, methods, events.

A proposal has namespaces that the app requires and such that it would like. The wallet agrees when it can do
all that is required, and grants of both what it can do. Clients of today require nothing: what the app named
as required they send as optional, so a wallet without any of its chains is the only reason left to reject.
Documentation: specs.walletconnect.com/2.0/specs/clients/sign/namespaces; CAIP-2 (chains), CAIP-10 (accounts)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from launcher.metapro.walletconnect.methods import Code, Refused

__all__ = ["EIP155", "Granted", "grant"]

EIP155 = "eip155"
OFFERED_METHODS = frozenset(
    {
        "personal_sign",
        "eth_sign",
        "eth_signTypedData",
        "eth_signTypedData_v3",
        "eth_signTypedData_v4",
        "eth_sendTransaction",
        "eth_signTransaction",
        "eth_sendRawTransaction",
        "eth_accounts",
        "eth_requestAccounts",
        "eth_chainId",
        "wallet_switchEthereumChain",
        "wallet_addEthereumChain",
        "wallet_getPermissions",
        "wallet_requestPermissions",
    }
)
"""What an app may ask for. The wallet decides when it is asked: it has no eth_sign, which apps name all the
same, and spends nothing without a policy."""
OFFERED_EVENTS = frozenset({"accountsChanged", "chainChanged"})
_NAMESPACE = re.compile(r"[-a-z0-9]{3,8}(:[-_a-zA-Z0-9]{1,32})?")
_CHAIN = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class Granted:
    """What a session is about: chains by number, methods, events."""

    chains: tuple[int, ...]
    methods: tuple[str, ...]
    events: tuple[str, ...]

    def with_chain(self, chain: int) -> Granted:
        return self if chain in self.chains else replace(self, chains=(*self.chains, chain))

    def as_json(self, address: str) -> dict[str, Any]:
        """The session's namespaces, with this account on every chain."""
        chains = [f"{EIP155}:{chain}" for chain in self.chains]
        return {
            EIP155: {
                "chains": chains,
                "accounts": [f"{chain}:{address}" for chain in chains],
                "methods": [*self.methods],
                "events": [*self.events],
            }
        }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The namespaces of one sort in a proposal, all of them together."""

    kinds: tuple[str, ...]
    chains: tuple[str, ...]
    methods: tuple[str, ...]
    events: tuple[str, ...]


def grant(proposal: Mapping[str, Any], known: Collection[int], current: int) -> Granted:
    """What a wallet that knows these chains and is on the current one grants. Raises Refused.

    The current chain comes first, for it is the first one that an app begins on.
    """
    required = _read(proposal.get("requiredNamespaces") or {})
    optional = _read(proposal.get("optionalNamespaces") or {})
    by_name = {f"{EIP155}:{chain}": chain for chain in known}
    _check(required, by_name)
    wanted = (
        dict.fromkeys((*required.chains, *optional.chains)) if required.kinds or optional.kinds else by_name
    )
    chains = [by_name[name] for name in wanted if name in by_name]
    if not chains:
        raise Refused(Code.UNSUPPORTED_CHAINS, "Unsupported chains")
    return Granted(
        tuple(sorted(chains, key=lambda chain: chain != current)),
        _both(required.methods, optional.methods, OFFERED_METHODS),
        _both(required.events, optional.events, OFFERED_EVENTS),
    )


def _check(required: _Wanted, by_name: Collection[str]) -> None:
    if set(required.kinds) - {EIP155}:
        raise Refused(Code.UNSUPPORTED_NAMESPACE, "Unsupported namespace")
    if set(required.chains) - set(by_name):
        raise Refused(Code.UNSUPPORTED_CHAINS, "Unsupported chains")
    if set(required.methods) - OFFERED_METHODS:
        raise Refused(Code.UNSUPPORTED_METHODS, "Unsupported methods")
    if set(required.events) - OFFERED_EVENTS:
        raise Refused(Code.UNSUPPORTED_EVENTS, "Unsupported events")


def _both(first: Iterable[str], second: Iterable[str], offered: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys((*first, *second)) if name in offered)


def _read(namespaces: Any) -> _Wanted:
    if not isinstance(namespaces, Mapping):
        raise Refused(Code.UNSUPPORTED_NAMESPACE, "Namespaces have to be an object")
    kinds, chains, methods, events = [], [], [], []
    for key, namespace in namespaces.items():
        if not _NAMESPACE.fullmatch(key) or not isinstance(namespace, Mapping):
            raise Refused(Code.UNSUPPORTED_NAMESPACE, "Namespaces have to be as CAIP-2 has them")
        kinds.append(key.partition(":")[0])
        chains += _chains(key, namespace)
        methods += _texts(namespace, "methods")
        events += _texts(namespace, "events")
    return _Wanted(tuple(kinds), tuple(chains), tuple(methods), tuple(events))


def _chains(key: str, namespace: Mapping[str, Any]) -> list[str]:
    """A namespace names its chains, unless it is that of one chain."""
    chains = [key] if ":" in key else _texts(namespace, "chains")
    kind = key.partition(":")[0]
    if not chains or not all(_CHAIN.fullmatch(name) and name.startswith(f"{kind}:") for name in chains):
        raise Refused(Code.UNSUPPORTED_CHAINS, "Chains have to be named, each in its namespace")
    return chains


def _texts(namespace: Mapping[str, Any], name: str) -> list[str]:
    values = namespace.get(name) or []
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
