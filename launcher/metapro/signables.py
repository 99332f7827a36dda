"""What an app asks to have signed: read from the parameters of a request, as text and as bytes.

`personal_sign` takes its message as plain text or as 0x and hexadecimal digits, and either order of message
and account: apps use all of them. Typed data come as JSON or as an object. Only the versions 3 and 4 are
signed; version 1, an array, was a draft and hides from its reader what is signed.

Documentation: EIP-191 (version 0x45), EIP-712.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_account.messages import SignableMessage, encode_defunct, encode_typed_data

from launcher.metapro.eip1193 import BAD_PARAMS, UNSUPPORTED, WalletRefused, address, as_json

__all__ = ["Signable", "personal_message", "typed_data"]

_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")


@dataclass(frozen=True, slots=True)
class Signable:
    """A message that waits for a signature by `account` (lower case).

    `text` is the message as its reader sees it, None for bytes that are no UTF-8; `data` are the exact bytes:
    of a personal message itself, of typed data the 66 that are hashed.
    """

    account: str
    text: str | None
    data: bytes
    encoded: SignableMessage


def personal_message(params: list[Any]) -> Signable:
    """The message of `personal_sign`: what comes second is the account, if it is an address; or else what
    comes first.

    Raises WalletRefused for other parameters than a message and an account.
    """
    message, account = _message_and_account(params, "personal_sign", account_first=False)
    if not isinstance(message, str):
        raise WalletRefused(BAD_PARAMS, "The message of personal_sign has to be a text.")
    data = bytes.fromhex(message[2:]) if _HEX.fullmatch(message) else _utf8(message)
    return Signable(account, _text(data), data, encode_defunct(primitive=data))


def typed_data(method: str, params: list[Any], chain_id: int) -> Signable:
    """The message of `eth_signTypedData`, `_v3` or `_v4`.

    Raises WalletRefused for what is no typed data, and for those of another chain than the wallet's, as
    wallets do lest a signature is used where its owner does not expect it.
    """
    if params and isinstance(params[0], list):
        raise WalletRefused(UNSUPPORTED, f"{method} of an array (version 1) is not signed: use version 4.")
    message, account = _message_and_account(params, method, account_first=True)
    text = message if isinstance(message, str) else as_json(message)
    full = _object(text, method)
    _check(full, method, chain_id)
    try:
        encoded = encode_typed_data(full_message=_needed(full))
    except Exception as failure:  # eth-account tells of bad input with any exception there is
        raise WalletRefused(
            BAD_PARAMS, f"The typed data cannot be encoded ({type(failure).__name__})."
        ) from None
    return Signable(account, text, b"\x19" + encoded.version + encoded.header + encoded.body, encoded)


def _message_and_account(params: list[Any], method: str, *, account_first: bool) -> tuple[Any, str]:
    if len(params) >= 2:
        for place in (0, 1) if account_first else (1, 0):
            account = address(params[place])
            if account is not None:
                return params[1 - place], account
    raise WalletRefused(BAD_PARAMS, f"{method} takes a message and the account which signs it.")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise WalletRefused(BAD_PARAMS, "The message is no text: it has lone surrogates.") from None


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _object(text: str, method: str) -> dict[str, Any]:
    try:
        full = json.loads(text)
    except (ValueError, RecursionError):
        full = None
    parts = (("types", dict), ("domain", dict), ("message", dict), ("primaryType", str))
    if not isinstance(full, dict) or not all(isinstance(full.get(name), kind) for name, kind in parts):
        raise WalletRefused(BAD_PARAMS, f"{method} takes types, primaryType, domain and message.")
    return full


def _check(full: Mapping[str, Any], method: str, chain_id: int) -> None:
    if method.endswith("_v3") and any(kind.endswith("]") for kind in _kinds(full["types"])):
        raise WalletRefused(BAD_PARAMS, "Version 3 of typed data has no arrays: use eth_signTypedData_v4.")
    given = full["domain"].get("chainId")
    if given is not None and _number(given) != chain_id:
        raise WalletRefused(
            BAD_PARAMS, f"The typed data are for chain {given!r:.40}, and the wallet is on chain {chain_id}."
        )


def _number(value: Any) -> int | None:
    try:
        return int(value, 0) if isinstance(value, str) else int(value)
    except (ValueError, TypeError, OverflowError):
        return None


def _kinds(types: Mapping[str, Any]) -> list[str]:
    """The types of all fields."""
    fields = [field for listed in types.values() if isinstance(listed, list) for field in listed]
    return [str(field.get("type")) for field in fields if isinstance(field, dict)]


def _needed(full: Mapping[str, Any]) -> dict[str, Any]:
    """The typed data without what does not count: types that the primary one does not lead to (eth-account
    then finds no primary type), and keys of the domain that its own type does not list."""
    types, domain = full["types"], full["domain"]
    reached, waiting = {}, [full["primaryType"]]
    while waiting:
        name = waiting.pop().partition("[")[0]
        if name in types and name not in reached:
            reached[name] = types[name]
            waiting += _kinds({name: types[name]})
    if isinstance(listed := types.get("EIP712Domain"), list):
        names = {field.get("name") for field in listed}
        domain = {name: value for name, value in domain.items() if name in names}
    return {**full, "types": reached, "domain": domain}
