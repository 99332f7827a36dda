"""The nft service: the tokens that a wallet has, and single tokens.

Every wallet has the same few tokens, unless `MetaproStandIn.owned` gives it others. `properties` of a token
is an object with one of them and a list with another, because both are documented.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

from launcher.sandbox.metapro.call import Call, Endpoints
from launcher.sandbox.metapro.refusal import Refused

__all__ = ["STARTING_TOKENS", "nft"]

nft = Endpoints()

_CAPTAINS, _CARDS = "0x00000000000000000000000000000000000ca947", "0x000000000000000000000000000000000000ca7d"
_NETWORKS = {56: "bnb-chain", 137: "polygon"}


def _token(contract: str, number: int, name: str, quantity: int, block: int, chain: int, about: Any) -> Any:
    return {
        "_id": f"{contract[-4:]}-{number}",
        "address": contract,
        "contractAddress": contract,
        "standard": "erc1155",
        "protocol": "metapro",
        "network": _NETWORKS[chain],
        "chainId": chain,
        "creationBlock": block,
        "token": {
            "_tokenId": number,
            "_quantity": quantity,
            "tokenName": name,
            "image": f"https://images.example/{number}.svg",
            "address": contract,
            "creationBlock": block,
            "properties": about,
        },
    }


STARTING_TOKENS: tuple[dict[str, Any], ...] = (
    _token(_CAPTAINS, 101, "Captain", 1000, 31_000_101, 56, {"rank": "captain", "level": 3}),
    _token(_CAPTAINS, 102, "Navigator", 500, 31_000_102, 56, [{"key": "rank", "value": "navigator"}]),
    _token(_CARDS, 7, "Harbour card", 50, 52_000_007, 137, {}),
)


@nft("GET", "/v1/user/{wallet}/tokens")
def wallet_tokens(call: Call) -> Any:
    wallet = _address(call.path("wallet"))
    quantities = call.metapro.owned.get(wallet, {token["_id"]: 1 for token in STARTING_TOKENS})
    owned = [
        {**token, "owners": [{"_quantity": quantities[token["_id"]], "address": wallet}]}
        for token in STARTING_TOKENS
        if token["_id"] in quantities
    ]
    wanted = [token for token in owned if _asked_for(call, token)]
    sorting = call.sorting()
    if sorting is not None:
        wanted.sort(key=lambda token: _at(token, sorting[0]), reverse=sorting[1])
    return call.page(wanted)


@nft("GET", "/v1/tokens")
def tokens(call: Call) -> Any:
    """By `tokenIds`, by `tokens[contract]=id`, or by `tokens` as a list of objects in JSON."""
    ids, pairs = set(call.queries("tokenIds")), _pairs(call)
    found = [
        token
        for token in STARTING_TOKENS
        if str(token["token"]["_tokenId"]) in ids
        or (token["contractAddress"], str(token["token"]["_tokenId"])) in pairs
        or not (ids or pairs)
    ]
    return call.page(found)


@nft("GET", "/v1/tokens/{address}/id/{number}")
def token(call: Call) -> Any:
    address, number = _address(call.path("address")), call.path("number")
    for found in STARTING_TOKENS:
        if (found["contractAddress"], str(found["token"]["_tokenId"])) == (address, number):
            return found
    raise Refused(404, "Token not found")


def _address(text: str) -> str:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise Refused(400, "address must have 42 characters")
    return text.lower()


def _asked_for(call: Call, token: dict[str, Any]) -> bool:
    names = ("contractAddress", "standard", "protocol", "network")
    return all(call.query(name, token[name]).lower() == token[name] for name in names)


def _at(token: dict[str, Any], path: str) -> Any:
    value: Any = token
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, int | str):
        raise Refused(400, f"sort.{path} is not allowed")
    return value


def _pairs(call: Call) -> set[tuple[str, str]]:
    asked = call.request.query_params.multi_items()
    pairs = {(name[7:-1].lower(), value) for name, value in asked if re.fullmatch(r"tokens\[\w+\]", name)}
    listed = call.query("tokens", "[]")
    try:
        return pairs | {
            (str(row["contractAddress"]).lower(), str(row["tokenId"])) for row in from_json(listed)
        }
    except (ValueError, TypeError, KeyError):
        raise Refused(400, "tokens must be a JSON list of contractAddress and tokenId") from None
