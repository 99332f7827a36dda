"""Carrying out what a page asks for beyond the phone: over MTProto, as the account, under the caller's
consent.

The bridge hands out effects as values; `Performer.perform` does one and says how it ended, so that the
bridge can answer the page. What gives something away is asked of the consent policy by the flow it
belongs to; chats are chosen and invoices paid only by what the caller gave.
Documentation: core.telegram.org/api/web-events
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telethon import TelegramClient

from flows import (
    Bot,
    Consent,
    MiniAppError,
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


@dataclass(frozen=True, slots=True)
class Performer:
    """Carries out the effects of one app's page."""

    client: TelegramClient
    bot: Bot
    consent: Consent
    choices: Choices
    random_id: Callable[[], int]

    async def perform(self, effect: Effect) -> Outcome:
        """Do what the effect asks, and say how it ended: a failure of Telegram's is an outcome."""
        try:
            return await self._done(effect)
        except MiniAppError as failure:
            return Failed(getattr(failure, "text", "UNKNOWN_ERROR"))

    async def _done(self, effect: Effect) -> Outcome:
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
                return _agreed(await share_phone(client, bot, consent, self.random_id()))
            case effects.RequestEmojiStatusAccess():
                return _agreed(await request_emoji_status_access(client, bot, consent))
            case effects.RequestFileDownload():
                return _agreed(await request_download(client, bot, effect.url, effect.file_name, consent))
            case effects.SetEmojiStatus():
                emoji = str(effect.custom_emoji_id)
                return _without(await set_emoji_status(client, bot, emoji, effect.duration, consent))
            case effects.SendPreparedMessage():
                choose, random_id = self.choices.chat, self.random_id()
                return _without(
                    await share_prepared_message(client, bot, effect.message_id, consent, choose, random_id)
                )
            case effects.RequestChat():
                choose = self.choices.chat
                return _without(await send_requested_chat(client, bot, effect.req_id, consent, choose))
            case effects.OpenInvoice():
                return Done((await pay_invoice(client, effect.slug, consent, self.choices.payments)).status)
        raise TypeError(f"{type(effect).__name__} is not carried out over MTProto")


def _agreed(status: str) -> Outcome:
    return Declined() if status == "cancelled" else Done()


def _without(error: str | None) -> Outcome:
    if error is None:
        return Done()
    return Declined() if error == "USER_DECLINED" else Failed(error)
