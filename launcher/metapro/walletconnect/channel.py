"""A topic that wallet and app share: questions and answers, sealed with its key.

Every message is JSON-RPC. Either side may ask; an answer bears the number of its question.
Documentation: specs.walletconnect.com/2.0/specs/clients/sign/rpc-methods
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from launcher.metapro.walletconnect.crypto import NONCE, Unreadable, open_envelope, seal
from launcher.metapro.walletconnect.errors import AppFailed
from launcher.metapro.walletconnect.methods import METHODS, UNKNOWN, Label, Refused
from launcher.metapro.walletconnect.relay import Relay

__all__ = ["Channel", "Question", "numbers"]


def numbers(now: float) -> itertools.count[int]:
    """The numbers of one client's questions: clients take a message whose number is lower than that of the
    last one for an old one, and compare the milliseconds in it."""
    return itertools.count(int(now * 1_000) * 1_000, 1_000)


@dataclass(frozen=True, slots=True)
class Question:
    """What the app asks: its number, method and parameters."""

    number: int
    method: str
    params: dict[str, Any] = field(repr=False)

    @property
    def label(self) -> Label:
        return METHODS.get(self.method, UNKNOWN)


class Channel:
    """One topic with its key. `timeout`: seconds for the app's answer."""

    def __init__(
        self,
        relay: Relay,
        topic: str,
        key: bytes,
        ids: itertools.count[int],
        random: Callable[[int], bytes],
        timeout: float,
    ) -> None:
        self.topic = topic
        self._relay = relay
        self._key = key
        self._ids = ids
        self._random = random
        self._timeout = timeout
        self._asked: dict[int, asyncio.Future[Any]] = {}

    async def open(self) -> None:
        await self._relay.subscribe(self.topic)

    async def close(self) -> None:
        await self._relay.unsubscribe(self.topic)

    # What the wallet says

    async def tell(self, method: str, params: dict[str, Any]) -> None:
        """Say something, and return when the relay has it."""
        await self._send(next(self._ids), method, params)

    async def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Say something, and wait for the app's answer. Raises AppFailed."""
        number = next(self._ids)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send(number, method, params)
            async with asyncio.timeout(self._timeout):
                return await answer
        except TimeoutError:
            raise AppFailed(method) from None
        except Refused as refused:
            raise AppFailed(method, refused.code) from None
        finally:
            del self._asked[number]

    async def answer(self, question: Question, result: Any) -> None:
        await self._reply(question, {"result": result}, question.label)

    async def refuse(
        self, question: Question, code: int, reason: str, data: Any = None, label: Label | None = None
    ) -> None:
        error = {"code": code, "message": reason} | ({} if data is None else {"data": data})
        await self._reply(question, {"error": error}, label or question.label)

    async def _send(self, number: int, method: str, params: dict[str, Any]) -> None:
        label = METHODS[method]
        await self._publish({"id": number, "method": method, "params": params}, label.tag, label)

    async def _reply(self, question: Question, reply: dict[str, Any], label: Label) -> None:
        await self._publish({"id": question.number, **reply}, label.tag + 1, label)

    async def _publish(self, message: dict[str, Any], tag: int, label: Label) -> None:
        text = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"))
        envelope = seal(self._key, text, self._random(NONCE))
        await self._relay.publish(self.topic, envelope, tag, label)

    # What the app says

    def take(self, envelope: str) -> Question | None:
        """The app's question in an envelope. An answer goes to whoever waits for it; what is neither, or not
        readable, is let go: anybody who knows a topic can publish there."""
        try:
            message = json.loads(open_envelope(self._key, envelope))
        except (Unreadable, ValueError, RecursionError):
            return None
        if not isinstance(message, dict) or not isinstance(number := message.get("id"), int):
            return None
        if isinstance(method := message.get("method"), str):
            params = message.get("params")
            return Question(number, method, params if isinstance(params, dict) else {})
        self._answered(number, message)
        return None

    def _answered(self, number: int, message: dict[str, Any]) -> None:
        answer = self._asked.get(number)
        if answer is None or answer.done():
            return
        if isinstance(error := message.get("error"), dict):
            code = error.get("code")
            answer.set_exception(Refused(code if isinstance(code, int) else 0, "the app's error"))
        else:
            answer.set_result(message.get("result"))
