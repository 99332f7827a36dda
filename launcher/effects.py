"""Carrying out what a page asks for beyond the phone: over MTProto, as the account, under the caller's
consent.

The bridge hands out effects as values; `Performer.perform` does one and says how it ended, so that the
bridge can answer the page. What gives something away is asked of the consent policy by the flow it
belongs to; chats are chosen and invoices paid only by what the caller gave.
Documentation: core.telegram.org/api/web-events
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from telethon import TelegramClient

from flows import (
    Bot,
    Consent,
    MiniAppError,
    Prompt,
    Question,
    invoke_custom_method,
    pay_invoice,
    request_download,
    request_emoji_status_access,
    request_write_access,
    send_requested_chat,
    set_emoji_status,
    share_phone,
    share_prepared_message,
)
from flows.choosing import Choose, chosen
from launcher.bridge import effects
from launcher.bridge.effects import Declined, Done, Effect, Failed, Outcome

__all__ = ["Choices", "Performer"]

_AT_STAKE = {
    "biometry": "use your fingerprint or face",
    "clipboard": "read the clipboard",
    "home_screen": "add a shortcut to the home screen",
    "location": "know where you are",
    "storage_restore": "restore what was stored before",
}
"""What the phone asks, by the names of the questions."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person would choose from lists.

    `chat` is called with what a chat is wanted for (`PreparedMessage`, `ChatRequest`, `SwitchInline`) and
    names one, or None to close the list; `payments` is called with a `Bill` and says whether to pay it (a
    `PaymentPolicy` has limits). Without them nothing is chosen and nothing is paid.
    """

    chat: Callable[[Any], Any] = lambda _: None
    payments: Any = None


class Repeat(Protocol):
    """Repeats an attempt after transient failures; what is not `repeatable` only if it was certainly not
    carried out (`Launcher._repeating`)."""

    async def __call__(self, attempt: Callable[[], Awaitable[Outcome]], *, repeatable: bool) -> Outcome: ...


_UNREPEATABLE = effects.InvokeCustomMethod | effects.OpenInvoice | effects.RequestChat
"""Nothing in the request tells Telegram that it is the same one again."""


@dataclass(frozen=True, slots=True)
class Performer:
    """Carries out the effects of one app's page."""

    client: TelegramClient
    bot: Bot
    consent: Consent
    choices: Choices
    random_id: Callable[[], int]
    repeat: Repeat

    async def perform(self, effect: Effect) -> Outcome:
        """Do what the effect asks, and say how it ended: a failure of Telegram's is an outcome.

        What failed in passing is repeated, under one random id and without asking anybody twice. Of a lost
        account `repeat` knows by then.
        """
        choose, payments = _chosen_once(self.choices.chat), self.choices.payments
        once = _Once(self.client, self.bot, _asked_once(self.consent), choose, payments, self.random_id())
        try:
            return await self.repeat(
                lambda: once.done(effect), repeatable=not isinstance(effect, _UNREPEATABLE)
            )
        except MiniAppError as failure:
            return Failed(getattr(failure, "text", "UNKNOWN_ERROR"), str(failure))


def _asked_once(consent: Consent) -> Consent:
    """The same consent, remembering what it answered."""
    answers: dict[Prompt, frozenset[Question]] = {}

    async def answer(prompt: Prompt) -> frozenset[Question]:
        if prompt not in answers:
            answers[prompt] = await consent.decide(prompt)
        return answers[prompt]

    return Consent(otherwise=answer)


def _chosen_once(choose: Choose[Any]) -> Choose[Any]:
    """The same choice, made once."""
    choices: list[Any] = []

    async def choice(purpose: Any) -> Any:
        if not choices:
            choices.append(await chosen(choose, purpose))
        return choices[0]

    return choice


@dataclass(frozen=True, slots=True)
class _Once:
    """One effect, however often it is tried."""

    client: TelegramClient
    bot: Bot
    consent: Consent
    choose: Choose[Any]
    payments: Any
    random_id: int

    async def done(self, effect: Effect) -> Outcome:
        client, bot, consent = self.client, self.bot, self.consent
        match effect:
            case effects.AskUser():
                question = Question(effect.question)
                agreed = await consent.allows(question, bot.username, _AT_STAKE[effect.question])
                return Done() if agreed else Declined()
            case effects.InvokeCustomMethod():
                answer = await invoke_custom_method(client, bot, effect.method, json.loads(effect.params))
                return Failed(answer.error) if answer.error is not None else Done(answer.result)
            case effects.RequestWriteAccess():
                return _agreed(await request_write_access(client, bot, consent))
            case effects.RequestPhone():
                return _agreed(await share_phone(client, bot, consent, self.random_id))
            case effects.RequestEmojiStatusAccess():
                return _agreed(await request_emoji_status_access(client, bot, consent))
            case effects.RequestFileDownload():
                return _agreed(await request_download(client, bot, effect.url, effect.file_name, consent))
            case effects.SetEmojiStatus():
                emoji = str(effect.custom_emoji_id)
                return _without(await set_emoji_status(client, bot, emoji, effect.duration, consent))
            case effects.SendPreparedMessage():
                message, choose, random_id = effect.message_id, self.choose, self.random_id
                return _without(
                    await share_prepared_message(client, bot, message, consent, choose, random_id)
                )
            case effects.RequestChat():
                return _without(await send_requested_chat(client, bot, effect.req_id, consent, self.choose))
            case effects.OpenInvoice():
                closed = await pay_invoice(client, effect.slug, consent, self.payments)
                return Done(closed.status, closed.reason)
        raise TypeError(f"{type(effect).__name__} is not carried out over MTProto")


def _agreed(status: str) -> Outcome:
    return Declined() if status == "cancelled" else Done()


def _without(error: str | None) -> Outcome:
    if error is None:
        return Done()
    return Declined() if error == "USER_DECLINED" else Failed(error)
