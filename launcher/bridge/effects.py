"""What an event asks for that lies outside the page and the phone: messages, calls, links, the end of the
app.

The bridge hands these out as values, and whoever is connected to Telegram carries them out. When one has
ended, its outcome goes back into the bridge, which answers the page: `reply` is that mapping. Effects
without a reply need not be reported back.

Documentation: core.telegram.org/api/web-events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from launcher.bridge import incoming
from launcher.bridge.incoming import Incoming
from launcher.bridge.outgoing import Outgoing
from launcher.bridge.wire import plain

__all__ = [
    "AskUser",
    "Close",
    "Declined",
    "Done",
    "Effect",
    "Failed",
    "InvokeCustomMethod",
    "OpenInvoice",
    "OpenLink",
    "OpenTgLink",
    "Outcome",
    "RequestChat",
    "RequestEmojiStatusAccess",
    "RequestFileDownload",
    "RequestPhone",
    "RequestWriteAccess",
    "SendData",
    "SendPreparedMessage",
    "SetEmojiStatus",
    "ShareToStory",
    "SwitchInline",
    "VerifyAge",
]

InvoiceStatus = Literal["paid", "failed", "pending", "cancelled"]


@dataclass(frozen=True, slots=True)
class Done:
    """It was carried out. `value` is the result of a custom method, or the status of an invoice; `reason`,
    for the caller alone, why that is not all the page hoped for."""

    value: Any = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Declined:
    """The user, or the policy that stands for them, said no; `reason` says for the caller what to."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It was tried. `error` is the platform's or the server's code, such as MESSAGE_EXPIRED; `reason` is for
    the caller alone."""

    error: str = "UNKNOWN_ERROR"
    reason: str = ""


Outcome: TypeAlias = Done | Declined | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something to be done outside. `id` is unique within its bridge and grows; `name` is the event that
    asks for it."""

    id: int = 0
    name: str = field(default="", compare=False)
    owes_reply: ClassVar[bool] = False
    ends_app: ClassVar[bool] = False

    def reply(self, outcome: Outcome) -> Incoming | None:
        """What the page is told about this outcome."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing(Effect):
    """An effect the page waits for."""

    owes_reply: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending(Effect):
    """The app is over with it: whoever carries it out closes the app."""

    ends_app: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Ending):
    """Close the app, and bring back the one that opened it if `return_back`."""

    return_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendData(Ending):
    """`messages.sendWebViewData`, exactly once, then close."""

    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchInline(Ending):
    """Put an inline query to the bot into this chat, or one of these types to be chosen, then close."""

    query: str
    chat_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAge(Ending):
    """Compare with the configured least age, keep the result, then close."""

    passed: bool
    age: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLink(Effect):
    """A page outside, its protocol an allowed one."""

    url: str
    try_instant_view: bool
    try_browser: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTgLink(Effect):
    """A link `https://t.me` + `path_full`; `then` is what becomes of this app meanwhile."""

    path_full: str
    force_request: bool
    then: Literal["stay", "minimise", "close"]

    @property
    def url(self) -> str:
        return f"https://t.me{self.path_full}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareToStory(Effect):
    """The story editor with this medium; `widget_link` is (address, caption or None)."""

    media_url: str
    text: str | None
    widget_link: tuple[str, str | None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskUser(Owing):
    """Whether the user agrees to what the phone is asked for, by the name of the question. Done is a yes;
    then `Bridge.resolve` goes on with the event."""

    question: Literal["biometry", "clipboard", "home_screen", "location", "storage_restore"]
    event: Outgoing = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeCustomMethod(Owing):
    """`bots.invokeWebViewCustomMethod`; `params` is JSON text. Done holds the result, a JSON value."""

    req_id: str
    method: str
    params: str

    def reply(self, outcome: Outcome) -> Incoming:
        match outcome:
            case Done(value):
                return incoming.CustomMethodInvoked(req_id=self.req_id, result=plain(value))
            case Declined():
                return incoming.CustomMethodInvoked(req_id=self.req_id, error="USER_DECLINED")
            case Failed(error):
                return incoming.CustomMethodInvoked(req_id=self.req_id, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWriteAccess(Owing):
    """`bots.canSendMessage`; unless it is so already, ask, then `bots.allowSendMessage`."""

    def reply(self, outcome: Outcome) -> Incoming:
        done = isinstance(outcome, Done)
        return incoming.WriteAccessRequested(status="allowed" if done else "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPhone(Owing):
    """Ask, unblock the bot if need be, send it the account's own contact."""

    def reply(self, outcome: Outcome) -> Incoming:
        return incoming.PhoneRequested(status="sent" if isinstance(outcome, Done) else "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEmojiStatus(Owing):
    """Ask, then `account.updateEmojiStatus`. `duration` is in seconds, None for ever."""

    custom_emoji_id: int
    duration: int | None

    def reply(self, outcome: Outcome) -> Incoming:
        match outcome:
            case Done():
                return incoming.EmojiStatusSet()
            case Declined():
                return incoming.EmojiStatusFailed(error="USER_DECLINED")
            case Failed(error):
                known = get_args(incoming.EmojiStatusFailed.model_fields["error"].annotation)
                # Whatever else the server says is its error, and no code of the platform.
                named: Any = error if error in known else "SERVER_ERROR"
                return incoming.EmojiStatusFailed(error=named)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEmojiStatusAccess(Owing):
    """Unless it is so already, ask, then `bots.toggleUserEmojiStatusPermission`."""

    def reply(self, outcome: Outcome) -> Incoming:
        done = isinstance(outcome, Done)
        return incoming.EmojiStatusAccessRequested(status="allowed" if done else "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPreparedMessage(Owing):
    """`messages.getPreparedInlineMessage`, a chat of its types, `messages.sendInlineBotResult`."""

    message_id: str

    def reply(self, outcome: Outcome) -> Incoming:
        match outcome:
            case Done():
                return incoming.PreparedMessageSent()
            case Declined():
                return incoming.PreparedMessageFailed(error="USER_DECLINED")
            case Failed(error):
                return incoming.PreparedMessageFailed(error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChat(Owing):
    """Let the user choose what the bot asked for under this id, and send it to the bot."""

    req_id: str

    def reply(self, outcome: Outcome) -> Incoming:
        match outcome:
            case Done():
                return incoming.RequestedChatSent(req_id=self.req_id)
            case Declined():
                return incoming.RequestedChatFailed(req_id=self.req_id, error="USER_DECLINED")
            case Failed(error):
                return incoming.RequestedChatFailed(req_id=self.req_id, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice(Owing):
    """`payments.getPaymentForm` with `inputInvoiceSlug`, and pay if told so. Done holds the status."""

    slug: str

    def reply(self, outcome: Outcome) -> Incoming:
        """Raises `ValueError` for a status that is none."""
        match outcome:
            case Done(status):
                if status not in get_args(InvoiceStatus):
                    raise ValueError(f"an invoice ends as one of {', '.join(get_args(InvoiceStatus))}")
                return incoming.InvoiceClosed(slug=self.slug, status=status)
            case Declined():
                return incoming.InvoiceClosed(slug=self.slug, status="cancelled")
            case Failed():
                return incoming.InvoiceClosed(slug=self.slug, status="failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFileDownload(Owing):
    """`bots.checkDownloadFileParams`, ask, then save the file."""

    url: str
    file_name: str

    def reply(self, outcome: Outcome) -> Incoming:
        done = isinstance(outcome, Done)
        return incoming.FileDownloadRequested(status="downloading" if done else "cancelled")
