"""One account of a sandbox with a cache of its own: what a test of the flows opens apps with.

`account()` enters a sandbox and an unpatched Telethon client that is signed in already, `Account.open` runs
one opening, and `asked` and `sent` read the sandbox's log of what came over the wire meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from telethon import TelegramClient

from flows import (
    Answer,
    Cache,
    Consent,
    MiniAppError,
    Opened,
    Opening,
    OpenParameters,
    Options,
    Prompt,
    Target,
)
from flows.consent import Question
from launcher.sandbox import Bot, Sandbox
from launcher.sandbox.default_world import DEMO_BOT
from launcher.sandbox.peers import access_hash
from launcher.sandbox.rpc import LoggedCall

ALLOW_ALL = Consent(*Question)


class Asker:
    """A consent callable that remembers its prompts and answers them all alike."""

    def __init__(self, answer: Any = True) -> None:
        self.answer = answer
        self.prompts: list[Prompt] = []

    def __call__(self, prompt: Prompt) -> Any:
        self.prompts.append(prompt)
        return self.answer

    @property
    def questions(self) -> list[set[str]]:
        """The questions of each prompt."""
        return [set(prompt.questions) for prompt in self.prompts]


class Account:
    """A signed-in client in its sandbox, and its cache."""

    def __init__(self, sandbox: Sandbox, client: Any, user_id: int) -> None:
        self.sandbox, self.client, self.id = sandbox, client, user_id
        self.cache = Cache()

    async def open(
        self,
        target: Target,
        consent: Consent | Answer | None = None,
        parameters: OpenParameters | None = None,
        speculate: bool = False,
        **options: Any,
    ) -> Opened:
        """Open a target; a callable as `consent` is asked everything."""
        if not isinstance(consent, Consent):
            consent = Consent() if consent is None else Consent(otherwise=consent)
        opening = Opening(
            self.client,
            target,
            Options(**options),
            parameters or OpenParameters(),
            consent,
            self.cache,
            speculate,
        )
        return await opening.run()

    async def refused(self, kind: type[MiniAppError], target: Any, *args: Any, **options: Any) -> Any:
        """The error that opening ends with: of this kind, and it says what happened and what to do."""
        with pytest.raises(kind) as caught:
            await self.open(target, *args, **options)
        error = caught.value
        assert error.meaning in str(error)
        assert error.meaning.endswith(".")
        assert error.remedy.endswith(".")
        return error

    async def message(self, chat: Any = "demo_bot", text: str = "Press a button") -> Any:
        """The newest message of a chat that contains this text."""
        async for message in self.client.iter_messages(chat, limit=20):
            if text in message.message:
                return message
        raise AssertionError(f"no message {text!r}")

    def forget_calls(self) -> None:
        self.sandbox.log.clear()

    @property
    def asked(self) -> list[str]:
        """The methods called by this account, in their order."""
        return [call.method for call in self._calls()]

    def sent(self, method: str) -> dict[str, Any]:
        """The parameters of this account's last call of a method, those absent on the wire absent."""
        return [call for call in self._calls() if call.method == method][-1].parameters

    def _calls(self) -> list[LoggedCall]:
        return [call for call in self.sandbox.log if call.account == self.id]

    def hash_of(self, peer: int) -> int:
        """The access hash by which this account names a peer."""
        return access_hash(self.sandbox, self.id, peer)

    @property
    def bot(self) -> Bot:
        """The bot that can do everything, as data to be edited."""
        return self.sandbox.world.bot(DEMO_BOT)


@asynccontextmanager
async def client_of(sandbox: Sandbox, who: str | int) -> AsyncIterator[Any]:
    """An unpatched client of one account, without a key exchange and without waiting or retrying."""
    client = TelegramClient(
        sandbox.sign_in(who),
        sandbox.api_id,
        sandbox.api_hash,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        request_retries=0,
    )
    async with client:
        yield client


@asynccontextmanager
async def account(who: str = "alice", **sandbox_options: Any) -> AsyncIterator[Account]:
    """A fresh sandbox and one account in it; the log is empty when the block begins."""
    async with Sandbox(**sandbox_options) as sandbox, client_of(sandbox, who) as client:
        opened = Account(sandbox, client, sandbox.world.user(who).id)
        opened.forget_calls()
        yield opened
