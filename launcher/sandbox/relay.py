"""A WalletConnect relay on the loopback: `async with Relay() as relay:` and give `relay.url` to both sides.

It passes sealed messages on by topic and can read none of them. A message is kept for its time to live until
a subscriber other than its publisher has taken it, so a side that is away gets it later, and one whose
connection broke before it said that it has it gets it twice. A client shows a token that its own key has
signed: who it is, for which relay, from when until when.

`stop` and `start` are a relay that restarts: connections break, mail stays. Out of scope are the quotas,
webhooks and watchers of the real one.
Documentation: specs.walletconnect.com/2.0/specs/servers/relay/relay-server-rpc and …/clients/core/relay/
relay-client-auth; `wc_proposeSession` is on no page: it is what @walletconnect/sign-client publishes a
proposal by.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from launcher.sandbox.server import HOST

__all__ = ["Message", "Relay"]

_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.WARNING)  # websockets would log requests, and the tokens in them, at level DEBUG
_TOPIC = re.compile(r"[0-9a-f]{64}")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"
_SKEW = 60
"""Seconds by which a client's clock may be ahead."""
_DEFAULT_TTL = 300
_FAREWELL = 1.0
"""Seconds for a client to take leave when the relay stops."""
_PROPOSAL = 1100
"""The tag of a session proposal."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """What a client published: sealed, with the tag that says what it is, and the seconds it is kept."""

    topic: str
    text: str = field(repr=False)
    tag: int
    ttl: int
    client: str
    published: float
    attestation: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "topic": self.topic,
            "message": self.text,
            "publishedAt": int(self.published * 1_000),
            "tag": self.tag,
            "attestation": self.attestation,
        }


class _Refused(Exception):
    """A JSON-RPC error: code and message."""


@dataclass(slots=True, eq=False)
class _Client:
    """A connection, whose it is, its subscriptions by topic, and what it has not said that it has."""

    connection: ServerConnection
    name: str
    topics: dict[str, str] = field(default_factory=dict)
    under_way: dict[int, Message] = field(default_factory=dict)

    async def send(self, **frame: Any) -> None:
        with suppress(ConnectionClosed):  # whoever reads from it will learn that too
            await self.connection.send(json.dumps({"jsonrpc": "2.0", **frame}))


class Relay:
    """The server. `log` is every message that was published, oldest first; `now` gives the Unix time."""

    def __init__(self, *, port: int = 0, now: Callable[[], float] = time.time) -> None:
        self.port = port
        self.log: list[Message] = []
        self._now = now
        self._mail: list[Message] = []
        self._clients: list[_Client] = []
        self._ids = itertools.count(1)
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await serve(
            self._serve,
            HOST,
            self.port,
            process_request=self._admit,
            close_timeout=_FAREWELL,
            logger=_LOG,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Break every connection; what was not taken stays in the mail."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    # Who may come in

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if not _query(request).get("projectId"):
            return connection.respond(HTTPStatus.BAD_REQUEST, "projectId is missing\n")
        try:
            self._name(request)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, InvalidSignature):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "the token is not valid\n")
        return None

    def _name(self, request: Request) -> str:
        """The `did:key` that the token names and proves. Raises one of many errors for a bad token."""
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        header, payload, signature = (shown or _query(request)["auth"]).split(".")
        claims = json.loads(_decoded(payload))
        name: str = claims["iss"]
        _public_key(name).verify(_decoded(signature), f"{header}.{payload}".encode())
        in_time = claims["iat"] <= self._now() + _SKEW and self._now() < claims["exp"]
        if not in_time or claims["aud"].rstrip("/") != self.url:
            raise ValueError
        return name

    # What they say

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        client = _Client(connection, self._name(connection.request))
        self._clients.append(client)
        try:
            async for frame in connection:
                await self._take(client, json.loads(frame))
        except ValueError:
            await connection.close(CloseCode.INVALID_DATA)
        except ConnectionClosed:
            pass  # without a word
        finally:
            self._clients.remove(client)

    async def _take(self, client: _Client, frame: dict[str, Any]) -> None:
        if "method" not in frame:
            taken = client.under_way.pop(frame["id"], None)
            self._mail = [mail for mail in self._mail if mail is not taken]
            return
        try:
            reply = {"result": self._answer(client, frame["method"], frame.get("params", {}))}
        except _Refused as refusal:
            reply = {"error": dict(zip(("code", "message"), refusal.args, strict=True))}
        except (KeyError, TypeError):
            reply = {"error": {"code": -32602, "message": "Invalid params"}}
        await client.send(id=frame["id"], **reply)
        await self._deliver()

    def _answer(self, client: _Client, method: str, params: dict[str, Any]) -> Any:
        match method:
            case "irn_publish":
                return self._publish(client, params["topic"], params["message"], params["tag"], params)
            case "wc_proposeSession":
                self._subscribe(client, params["pairingTopic"])
                text = params["sessionProposal"]
                return self._publish(client, params["pairingTopic"], text, _PROPOSAL, params)
            case "irn_subscribe":
                return self._subscribe(client, params["topic"])
            case "irn_batchSubscribe":
                return [self._subscribe(client, topic) for topic in params["topics"]]
            case "irn_unsubscribe":
                client.topics.pop(params["topic"], None)
                return True
            case "irn_fetchMessages":
                return self._fetch(client, [params["topic"]])
            case "irn_batchFetchMessages":
                return self._fetch(client, params["topics"])
        raise _Refused(-32601, "Method not found")

    def _publish(self, client: _Client, topic: str, text: str, tag: int, params: dict[str, Any]) -> bool:
        ttl = params.get("ttl", _DEFAULT_TTL)
        message = Message(_topic(topic), text, tag, ttl, client.name, self._now(), params.get("attestation"))
        self.log.append(message)
        self._mail.append(message)
        return True

    def _subscribe(self, client: _Client, topic: str) -> str:
        """The id of a subscription is the client's to know beforehand: it is made of topic and name."""
        subscription = hashlib.sha256(f"{_topic(topic)}{client.name}".encode()).hexdigest()
        client.topics[topic] = subscription
        return subscription

    def _fetch(self, client: _Client, topics: list[str]) -> dict[str, Any]:
        found = [mail for mail in self._kept() if mail.topic in topics and mail.client != client.name]
        self._mail = [mail for mail in self._mail if mail not in found]
        return {"messages": [mail.as_json() for mail in found], "hasMore": False}

    # What they hear

    def _kept(self) -> list[Message]:
        """The mail whose time is not over."""
        now = self._now()
        self._mail = [mail for mail in self._mail if now < mail.published + mail.ttl]
        return self._mail

    async def _deliver(self) -> None:
        """Send what is in the mail to every subscriber to whom it is not under way yet."""
        for client, mail in self._due():
            number = next(self._ids)
            client.under_way[number] = mail
            params = {"id": client.topics[mail.topic], "data": mail.as_json()}
            await client.send(id=number, method="irn_subscription", params=params)

    def _due(self) -> list[tuple[_Client, Message]]:
        return [
            (client, mail)
            for mail in self._kept()
            for client in self._clients
            if mail.topic in client.topics
            and mail.client != client.name
            and mail not in client.under_way.values()
        ]


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def _topic(topic: str) -> str:
    if not _TOPIC.fullmatch(topic):
        raise _Refused(-32602, "A topic has 64 hexadecimal digits")
    return topic


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _public_key(client: str) -> Ed25519PublicKey:
    """The key that a `did:key:z…` names: base 58, a prefix for its kind, 32 bytes."""
    number = 0
    for digit in client.removeprefix("did:key:z"):
        number = number * 58 + _BASE58.index(digit)
    raw = number.to_bytes(len(_ED25519) + 32)
    if not raw.startswith(_ED25519):
        raise ValueError
    return Ed25519PublicKey.from_public_bytes(raw[len(_ED25519) :])
