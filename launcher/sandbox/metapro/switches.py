"""What is not public about Metapro's servers: one switch for each open question, with the position it is in.

The positions by default are those under which Metapro's own samples would work. A switch may be turned while
the stand-in runs (`metapro.switches.sliding = False`) and holds from the next request on; a position that
does not exist is refused at once with pydantic's ValidationError.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Outage", "Service", "Switches", "positions"]

Service = Literal["users", "nft", "leaderboard", "teams", "referral"]

Outage = Literal["refused", "timeout", "bad_gateway", "unavailable", "empty", "slow"]
"""How a service can be down: the connection is cut; no answer ever comes; a proxy's 502 in HTML; 503 in JSON;
200 with nothing in it; the right answer, after `slow_for` seconds."""


class Switches(BaseModel):
    """Every open question and its answer here; times are in seconds."""

    model_config = ConfigDict(validate_assignment=True, extra="forbid", use_attribute_docstrings=True)

    success: Literal[200, 201] = 201
    """With which status does a successful POST answer? NestJS, which Metapro seems to use, says 201."""
    auth_scheme: Literal["raw", "bearer", "both"] = "raw"
    """Is `Authorization` the bare token, as in every sample, or does it begin with `Bearer`?"""
    user_id_needed: bool = True
    """Is a call refused that has a token but no `x-account-userid`?"""
    token_lifetime: float = Field(3600.0, ge=0)
    """For how long is a token good, unless it is extended?"""
    token_maximum: float | None = Field(None, ge=0)
    """For how long is a token good however often it is extended? None: for ever."""
    sliding: bool = True
    """Does using a token extend it, as "various endpoints" are documented to?"""
    extending: frozenset[str] | None = None
    """Which endpoints extend a token (`me`, `update`, `availability` ...)? None: all that take one."""
    one_token: bool = False
    """Does a second login answer with the token of the first, as long as that one is good?"""
    init_data: Literal["strict", "off", "user_object"] = "strict"
    """How is a Telegram login checked? `strict` checks the hash of the init data with the token of the bot
    that is named, and that both fields name the same person; `off` reads the init data without checking them;
    `user_object` believes `telegramSimpleData` and does not look at the init data."""
    max_auth_age: float | None = Field(86_400.0, ge=0)
    """How old may `auth_date` be? None: of any age. Only a strict check looks at it."""
    init_data_reuse: bool = True
    """May the same init data be used for a second login?"""
    names_needed: bool = False
    """Is a login refused whose user has no `last_name` or no `username`?"""
    login_refusal: Literal[400, 401, 403] = 401
    """With which status is a Telegram login refused that does not prove who it is?"""
    bot_name_form: Literal["either", "bare", "at"] = "either"
    """Is `telegramBotName` written with the leading @, or without?"""
    refuse_unknown_project: bool = True
    """Is a login refused whose `projectId` or `platformId` is unknown?"""
    rules_needed: bool = True
    """Does the first login of a wallet need `rulesChecked`?"""
    hash_lifetime: float | None = Field(300.0, ge=0)
    """For how long can a hash be signed? None: for ever."""
    hash_single_use: bool = True
    """Is a hash used up by the login it was signed for?"""
    wallet_elsewhere: Literal["merge", "move", "refuse"] = "merge"
    """What does attaching do with a wallet of another account? `merge` joins both accounts, and the other one
    is gone; `move` takes the wallet alone; `refuse` answers 409. Without `merge` in the request it is
    refused."""
    profile_by_wallet: bool = True
    """Does `GET /profile/{userId}` take a wallet in place of the user id?"""
    errors: Literal["nest", "messages", "message_list", "html"] = "nest"
    """What does a refusal look like? `nest` is NestJS's object with `message`; `messages` has a list of that
    name; `message_list` is NestJS's object with a list; `html` a proxy's page."""
    leaderboard_reads: Literal["open", "key"] = "open"
    """Do reads of the leaderboard need `leaderboardApiKey`? Writes always do."""
    leaderboard_refusal: Literal[401, 403] = 401
    """With which status is a wrong or missing leaderboard key refused?"""
    page_has_leaderboard_key: bool = False
    """Is the leaderboard key in what the sample Mini App is given? Metapro's in-wallet demo publishes its
    key so, its own Mini App does not."""
    api_key_place: Literal["none", "header", "body"] = "none"
    """Where does the API key of the developer portal go?"""
    api_key_name: str = "x-api-key"
    """What is the header, or the field of the body, that holds the API key called?"""
    api_key_services: frozenset[Service] = frozenset({"users"})
    """Which services want the API key? In a body, it is wanted of requests that have one."""
    text_answers: bool = True
    """Are counts and match ids answered as plain text, or as JSON?"""
    cors: bool = True
    """May pages of other origins read the answers?"""
    latency: float = Field(0.0, ge=0)
    """How long does every answer take?"""
    outages: dict[Service, Outage] = {}
    """Which services are down, and how? Assign a new dictionary to change it."""
    slow_for: float = Field(5.0, ge=0)
    """How long does an answer of a service take that is `slow`?"""
    rate_limit: int | None = Field(None, ge=0)
    """How many requests does a service answer within `rate_window`, before the next are 429? None: any
    number."""
    rate_window: float = Field(60.0, gt=0)
    """Over which time does `rate_limit` count?"""
    retry_after: int | None = Field(1, ge=0)
    """What does `Retry-After` say with a 429, in whole seconds? None: the header is left out."""


def positions(switch: str) -> str:
    """What a switch can be turned to, in words: `200, 201`, `a number from 0 on, null`. Raises KeyError."""
    field = Switches.model_fields[switch]
    limits = "".join(_limit(limit) for limit in field.metadata)
    return _in_words(field.annotation, limits)


def _in_words(kind: Any, limits: str = "") -> str:
    parts = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return _listed(str(value) for value in parts)
    if origin in (Union, UnionType):
        return _listed(_in_words(part, limits) for part in parts)
    if origin is frozenset:
        return "a JSON list of texts" if parts == (str,) else f"a JSON list of any of ({_in_words(parts[0])})"
    if origin is dict:
        return f"a JSON object of {' to '.join(f'one of ({_in_words(part)})' for part in parts)}"
    return _SIMPLE[kind] + (limits if kind in (int, float) else "")


_SIMPLE = {bool: "true, false", int: "a whole number", float: "a number", str: "a text", NoneType: "null"}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _limit(limit: Any) -> str:
    """One of pydantic's limits of a number."""
    least, above = getattr(limit, "ge", None), getattr(limit, "gt", None)
    return f" from {least:g} on" if least is not None else f" above {above:g}" if above is not None else ""
